/* Finding line starts of interest and judging bytes: what runs over every byte of a message. */
#ifndef MXWARD_MIME_SCAN_H
#define MXWARD_MIME_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Position behind the line feed that ends the line at p, or n. */
static inline size_t line_next(const uint8_t* s, size_t p, size_t n)
{
    const uint8_t* lf;
    if (p >= n) return n;
    lf = memchr(s + p, '\n', n - p);
    return lf ? (size_t)(lf - s) + 1 : n;
}

/* End of the text of the line [p, next): without LF and CRs before it. */
static inline size_t line_text_end(const uint8_t* s, size_t p, size_t next)
{
    if (next > p && s[next - 1] == '\n') next--;
    while (next > p && s[next - 1] == '\r') next--;
    return next;
}

static inline int is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* White space of a folded value. */
static inline int is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Compares n bytes with a lower-case word of n letters, ignoring ASCII case. */
static inline int same_word(const uint8_t* s, const char* word, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++)
        if (lower(s[i]) != (uint8_t)word[i]) return 0;
    return 1;
}

/* First place of a lower-case word in s[p, n), ignoring case, or n. Header values only: n <= header limit. */
static size_t find_word(const uint8_t* s, size_t p, size_t n, const char* word)
{
    size_t w = strlen(word);
    for (; p + w <= n; p++)
        if (lower(s[p]) == (uint8_t)word[0] && same_word(s + p, word, w)) return p;
    return n;
}

/* Marks that interest the parser at the start of a line. */
static inline int is_mark(uint8_t c, int text)
{
    return c == '-' || (text && (c == 'b' || c == '=' || c == '('));
}

#if defined(__SSE2__)
/* One bit for each line feed in s[0, 16). */
static inline uint32_t line_feeds(const uint8_t* s)
{
    const __m128i v = _mm_loadu_si128((const __m128i*)(const void*)s);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
}
#endif

/* The next line start in (p, n) whose first byte is a mark, or n. p itself is not looked at. */
static size_t next_mark(const uint8_t* s, size_t p, size_t n, int text)
{
#if defined(__SSE2__)
    /* bound: 64 bytes from p, and one byte behind them, are inside the buffer */
    while (n - p > 64) {
        uint64_t m0 = line_feeds(s + p), m1 = line_feeds(s + p + 16);
        uint64_t m2 = line_feeds(s + p + 32), m3 = line_feeds(s + p + 48);
        uint64_t m = m0 | m1 << 16 | m2 << 32 | m3 << 48;
        while (m) {
            size_t at = p + (size_t)__builtin_ctzll(m) + 1;
            if (is_mark(s[at], text)) return at;
            m &= m - 1;
        }
        p += 64;
    }
#endif
    while (p < n) {
        p = line_next(s, p, n);
        if (p < n && is_mark(s[p], text)) return p;
    }
    return n;
}

typedef struct { /* facts about all bytes of a message; offsets are size when there is none */
    size_t nul, bare_cr, long_line;
    size_t crlf, lf; /* counts: line feeds with and without CR */
    int high;        /* a byte above 127 */
} ByteFacts;

static void look_at_line(const uint8_t* s, size_t start, size_t lf, size_t limit, ByteFacts* f, size_t n)
{
    size_t len = lf - start;
    if (lf > start && s[lf - 1] == '\r') {
        f->crlf++;
        len--;
    } else {
        f->lf++;
    }
    if (len > limit && f->long_line == n) f->long_line = start;
}

/* One pass over s[0, n). Sets bare_cr to the first CR that no LF follows. */
static void byte_facts(const uint8_t* s, size_t n, size_t line_limit, ByteFacts* f)
{
    size_t p = 0, start = 0;
    uint64_t crs = 0;
    memset(f, 0, sizeof *f);
    f->nul = f->bare_cr = f->long_line = n;
#if defined(__SSE2__)
    {
        const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r'), zero = _mm_setzero_si128();
        for (; n - p >= 16; p += 16) {
            __m128i v = _mm_loadu_si128((const __m128i*)(const void*)(s + p));
            unsigned l = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, lf));
            unsigned z = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, zero));
            f->high |= _mm_movemask_epi8(v);
            crs += (uint64_t)__builtin_popcount((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, cr)));
            if (z && f->nul == n) f->nul = p + (size_t)__builtin_ctz(z);
            while (l) {
                size_t at = p + (size_t)__builtin_ctz(l);
                look_at_line(s, start, at, line_limit, f, n);
                start = at + 1;
                l &= l - 1;
            }
        }
    }
#endif
    for (; p < n; p++) {
        f->high |= s[p] >> 7;
        if (s[p] == 0 && f->nul == n) f->nul = p;
        if (s[p] == '\r') crs++;
        if (s[p] == '\n') {
            look_at_line(s, start, p, line_limit, f, n);
            start = p + 1;
        }
    }
    if (n - start > line_limit && f->long_line == n) f->long_line = start;
    if (crs > f->crlf)
        for (p = 0; p < n; p++) {
            const uint8_t* c = memchr(s + p, '\r', n - p);
            if (c == NULL) break;
            p = (size_t)(c - s);
            if (p + 1 == n || s[p + 1] != '\n') {
                f->bare_cr = p;
                break;
            }
        }
}

#endif
