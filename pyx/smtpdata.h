/* Finds the next byte that matters to the SMTP data stream: NUL, LF or CR. Header-only, no Python.
 *
 * Everything else of the reader is in smtpdata.pyx; what bytes mean to MIME is in mime.pyx.
 */
#ifndef MXWARD_SMTPDATA_H
#define MXWARD_SMTPDATA_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Index of the first NUL, LF or CR in data[from, size), or size when there is none.
 *
 * Every vector load is guarded by at + 16 <= size, the tail goes byte by byte: nothing outside is read. */
static inline size_t smtpdata_next_special(const uint8_t *data, size_t from, size_t size)
{
    size_t at = from;
#if defined(__SSE2__)
    const __m128i zero = _mm_setzero_si128();
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');
    while (size - at >= 16) { /* at <= size always: both only grow to size */
        const __m128i block = _mm_loadu_si128((const __m128i *)(data + at));
        const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, zero), _mm_cmpeq_epi8(block, lf)),
                                         _mm_cmpeq_epi8(block, cr));
        const unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return at + (size_t)__builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < size && data[at] != 0 && data[at] != '\n' && data[at] != '\r')
        at++;
    return at;
}

#endif
