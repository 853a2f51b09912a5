/* Dot-stuffing: scan, copy and repair over plain bytes. No Python here; the face is dotstuff.pyx. */
#ifndef MXWARD_DOTSTUFF_H
#define MXWARD_DOTSTUFF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    size_t cr;      /* CR octets */
    size_t lf;      /* LF octets */
    size_t crlf;    /* CR directly followed by LF */
    size_t nul;     /* NUL octets */
    size_t lf_dot;  /* LF directly followed by a dot */
} mx_dot_count;

enum { MX_DOT_BLOCK = 240 }; /* below 256, so that a byte-wide counter of one lane cannot overflow */

#if defined(__SSE2__)
#include <emmintrin.h>

/* Sum of the 16 unsigned bytes of v. */
static inline size_t mx_dot_sum(__m128i v) {
    const __m128i s = _mm_sad_epu8(v, _mm_setzero_si128());
    return (size_t)_mm_cvtsi128_si64(s) + (size_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(s, s));
}

/* Count over whole 16-byte steps while a byte beyond each step exists; returns how far it came. */
static inline size_t mx_dot_scan_wide(const uint8_t* data, size_t size, mx_dot_count* out) {
    const __m128i cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n'), dot = _mm_set1_epi8('.');
    const __m128i zero = _mm_setzero_si128();
    size_t i = 0;
    while (i + 17 <= size) { /* the shifted load reads data[i + 1 .. i + 16], so i + 16 < size */
        __m128i n_cr = zero, n_lf = zero, n_crlf = zero, n_nul = zero, n_dot = zero;
        for (int k = 0; k < MX_DOT_BLOCK && i + 17 <= size; k++, i += 16) {
            const __m128i here = _mm_loadu_si128((const __m128i*)(data + i));
            const __m128i next = _mm_loadu_si128((const __m128i*)(data + i + 1));
            const __m128i is_cr = _mm_cmpeq_epi8(here, cr);
            const __m128i is_lf = _mm_cmpeq_epi8(here, lf);
            /* a true lane is -1: subtracting it counts */
            n_cr = _mm_sub_epi8(n_cr, is_cr);
            n_lf = _mm_sub_epi8(n_lf, is_lf);
            n_nul = _mm_sub_epi8(n_nul, _mm_cmpeq_epi8(here, zero));
            n_crlf = _mm_sub_epi8(n_crlf, _mm_and_si128(is_cr, _mm_cmpeq_epi8(next, lf)));
            n_dot = _mm_sub_epi8(n_dot, _mm_and_si128(is_lf, _mm_cmpeq_epi8(next, dot)));
        }
        out->cr += mx_dot_sum(n_cr);
        out->lf += mx_dot_sum(n_lf);
        out->crlf += mx_dot_sum(n_crlf);
        out->nul += mx_dot_sum(n_nul);
        out->lf_dot += mx_dot_sum(n_dot);
    }
    return i;
}
#else
/* Elsewhere the plain loop of mx_dot_scan does it all; compilers vectorise it as they can. */
static inline size_t mx_dot_scan_wide(const uint8_t* data, size_t size, mx_dot_count* out) {
    (void)data; (void)size; (void)out;
    return 0;
}
#endif

/* Fill `out` for `size` bytes at `data` (which may be NULL when size is 0). Linear, no allocation. */
static inline void mx_dot_scan(const uint8_t* data, size_t size, mx_dot_count* out) {
    memset(out, 0, sizeof *out);
    for (size_t i = mx_dot_scan_wide(data, size, out); i < size; i++) {
        const uint8_t here = data[i], next = i + 1 < size ? data[i + 1] : 'x';
        out->cr += here == '\r';
        out->lf += here == '\n';
        out->nul += here == 0;
        out->crlf += here == '\r' && next == '\n';
        out->lf_dot += here == '\n' && next == '.';
    }
}

/* Copy canonical data with a dot doubled at each line start. `out` holds size + one byte for each such dot. */
static inline void mx_dot_copy(const uint8_t* data, size_t size, uint8_t* out) {
    const uint8_t *from = data, *end = data + size, *at = data;
    if (size && *data == '.') *out++ = '.';
    while ((at = (const uint8_t*)memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at == end) break;
        if (*at == '.') {
            memcpy(out, from, (size_t)(at - from));
            out += at - from;
            *out++ = '.';
            from = at;
        }
    }
    memcpy(out, from, (size_t)(end - from));
}

/* Make any bytes canonical and stuffed. With out == NULL only the size is found. Returns the size, at most 2 size + 2
 * (each input byte gives at most two: CR or LF to CRLF, or a doubled dot). */
static inline size_t mx_dot_repair(const uint8_t* data, size_t size, uint8_t* out) {
    size_t n = 0;
    int line_start = 1;
#define MX_DOT_PUT(c) do { if (out) out[n] = (uint8_t)(c); n++; } while (0)
    for (size_t i = 0; i < size; i++) {
        const uint8_t c = data[i];
        if (c == '\r' || c == '\n') {
            if (c == '\r' && i + 1 < size && data[i + 1] == '\n') i++;
            MX_DOT_PUT('\r');
            MX_DOT_PUT('\n');
            line_start = 1;
            continue;
        }
        if (line_start && c == '.') MX_DOT_PUT('.');
        MX_DOT_PUT(c ? c : ' ');
        line_start = 0;
    }
    if (!line_start) {
        MX_DOT_PUT('\r');
        MX_DOT_PUT('\n');
    }
#undef MX_DOT_PUT
    return n;
}

#endif
