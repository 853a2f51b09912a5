/* Base64 decoding, lenient: a fast path for clean text and the ways in which clients read damaged text.
 *
 * Not here: which way applies to a part (mime_leaf.h). Output buffers hold base64_bound(n) bytes.
 */
#ifndef MXWARD_BASE64_H
#define MXWARD_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    B64_STOP,    /* RFC 2045 6.8: skip strange characters, padding that completes a group ends the data */
    B64_CONTINUE,/* padding is one more strange character */
    B64_RESTART, /* padding ends the group, the next character starts a new one */
    B64_QUAD,    /* groups of four count the padding */
    B64_LINE,    /* a strange character ends the line; a line is decoded on its own */
    B64_CLEAN,   /* lines with strange characters are left out; a line is decoded on its own */
    B64_MODES
};

/* Value of a character, 64 padding, 65 line end or blank, 66 strange. */
static const uint8_t B64_VALUE[256] = {
#define S 66
    S, S, S, S, S, S, S, S, S, 65, 65, 65, 65, 65, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
    65, S, S, S, S, S, S, S, S, S, S, 62, S, S, S, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, S, S, S, 64, S, S,
    S, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, S, S, S, S, S,
    S, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
    S, S, S, S, S,
    S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
    S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
    S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
    S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
#undef S
};

/* Bytes an output buffer needs: three for four, one group more, and a vector of slack for the wide stores.
 * B64_RESTART and B64_LINE give at most one byte for two characters. */
static inline size_t base64_bound(size_t n)
{
    return n / 4 * 3 + 64;
}

#if defined(__x86_64__)
/* Where the bytes of a vector lie in the alphabet: one mask a range. */
typedef struct {
    __m256i upper, lower, digit, plus, slash;
} B64Ranges;

__attribute__((target("avx2"))) static inline int b64_ranges(__m256i c, B64Ranges* r)
{
    __m256i known;
    r->upper = _mm256_and_si256(
        _mm256_cmpgt_epi8(c, _mm256_set1_epi8('A' - 1)), _mm256_cmpgt_epi8(_mm256_set1_epi8('Z' + 1), c));
    r->lower = _mm256_and_si256(
        _mm256_cmpgt_epi8(c, _mm256_set1_epi8('a' - 1)), _mm256_cmpgt_epi8(_mm256_set1_epi8('z' + 1), c));
    r->digit = _mm256_and_si256(
        _mm256_cmpgt_epi8(c, _mm256_set1_epi8('0' - 1)), _mm256_cmpgt_epi8(_mm256_set1_epi8('9' + 1), c));
    r->plus = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('+'));
    r->slash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/'));
    known = _mm256_or_si256(
        _mm256_or_si256(r->upper, r->lower), _mm256_or_si256(r->digit, _mm256_or_si256(r->plus, r->slash)));
    return _mm256_movemask_epi8(known) == -1;
}

/* 32 clean characters to 24 bytes; returns 0 and stores nothing when one is outside the alphabet. */
__attribute__((target("avx2"))) static inline int b64_block32(const uint8_t* s, uint8_t* out)
{
    const __m256i c = _mm256_loadu_si256((const __m256i*)(const void*)s);
    __m256i v, pairs, quads;
    B64Ranges r;
    if (!b64_ranges(c, &r)) return 0;
    v = _mm256_or_si256(
        _mm256_or_si256(
            _mm256_and_si256(r.upper, _mm256_set1_epi8(-'A')), _mm256_and_si256(r.lower, _mm256_set1_epi8(26 - 'a'))),
        _mm256_or_si256(
            _mm256_and_si256(r.digit, _mm256_set1_epi8(52 - '0')),
            _mm256_or_si256(
                _mm256_and_si256(r.plus, _mm256_set1_epi8(62 - '+')),
                _mm256_and_si256(r.slash, _mm256_set1_epi8(63 - '/')))));
    v = _mm256_add_epi8(c, v);
    pairs = _mm256_maddubs_epi16(v, _mm256_set1_epi16(0x0140)); /* a * 64 + b in 16 bits */
    quads = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000)); /* ab * 4096 + cd in 32 bits */
    quads = _mm256_shuffle_epi8(quads, _mm256_setr_epi8(
        2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1,
        2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
    quads = _mm256_permutevar8x32_epi32(quads, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
    _mm256_storeu_si256((__m256i*)(void*)out, quads);
    return 1;
}

/* Length of the run of alphabet characters at s, in steps of 32. */
__attribute__((target("avx2"))) static size_t b64_clean_avx2(const uint8_t* s, size_t n)
{
    size_t p = 0;
    B64Ranges r;
    while (n - p >= 32 && b64_ranges(_mm256_loadu_si256((const __m256i*)(const void*)(s + p)), &r)) p += 32;
    return p;
}
#endif

/* Four characters to three bytes; 0 when one is not of the alphabet. */
static inline int b64_quad(const uint8_t* s, uint8_t* out)
{
    uint32_t a = B64_VALUE[s[0]], b = B64_VALUE[s[1]], c = B64_VALUE[s[2]], d = B64_VALUE[s[3]];
    if ((a | b | c | d) & 64) return 0;
    out[0] = (uint8_t)(a << 2 | b >> 4);
    out[1] = (uint8_t)(b << 4 | c >> 2);
    out[2] = (uint8_t)(c << 6 | d);
    return 1;
}

/* Clean run from a group boundary: whole groups, line ends between them skipped. Stops at anything else.
 * Moves *at forward and returns the end of the output. Bound: output stays below 3/4 of what was read, + slack. */
static uint8_t* b64_run(const uint8_t* s, size_t n, size_t* at, uint8_t* out)
{
    size_t p = *at;
    while (n - p >= 4) {
        if (b64_quad(s + p, out)) {
            p += 4;
            out += 3;
        } else if (s[p] == '\n') {
            p++;
        } else if (s[p] == '\r') {
            p++;
        } else {
            break;
        }
    }
    *at = p;
    return out;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint8_t* b64_run_avx2(const uint8_t* s, size_t n, size_t* at, uint8_t* out)
{
    size_t p = *at;
    for (;;) {
        while (n - p >= 32 && b64_block32(s + p, out)) {
            p += 32;
            out += 24;
        }
        if (n - p < 4) break;
        if (b64_quad(s + p, out)) { /* at most seven of these before a line end */
            do {
                p += 4;
                out += 3;
            } while (n - p >= 4 && b64_quad(s + p, out));
        } else if (s[p] != '\n' && s[p] != '\r') {
            break;
        }
        while (p < n && (s[p] == '\r' || s[p] == '\n')) p++;
    }
    *at = p;
    return out;
}
#endif

static int has_avx2(void)
{
#if defined(__x86_64__)
    static int known = -1; /* benign race: every thread finds the same value */
    int have = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (have < 0) {
        __builtin_cpu_init();
        have = __builtin_cpu_supports("avx2") ? 1 : 0;
        __atomic_store_n(&known, have, __ATOMIC_RELAXED);
    }
    return have;
#else
    return 0;
#endif
}

/* Bytes of an incomplete group: one of two characters, two of three, none of one. */
static inline uint8_t* b64_flush(uint32_t acc, int have, uint8_t* out)
{
    if (have == 2) {
        *out++ = (uint8_t)(acc >> 4);
    } else if (have == 3) {
        *out++ = (uint8_t)(acc >> 10);
        *out++ = (uint8_t)(acc >> 2);
    }
    return out;
}

static int b64_line_is_clean(const uint8_t* s, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++)
        if (B64_VALUE[s[i]] == 66) return 0;
    return 1;
}

/* B64_LINE and B64_CLEAN: lines decoded one by one. */
static size_t b64_by_line(const uint8_t* s, size_t n, int mode, uint8_t* out)
{
    uint8_t* o = out;
    size_t p = 0;
    while (p < n) {
        const uint8_t* lf = memchr(s + p, '\n', n - p);
        size_t end = lf ? (size_t)(lf - s) : n, i;
        uint32_t acc = 0;
        int have = 0;
        if (mode == B64_CLEAN && !b64_line_is_clean(s + p, end - p)) {
            p = end + 1;
            continue;
        }
        for (i = p; i < end; i++) {
            uint32_t v = B64_VALUE[s[i]];
            if (v == 65) continue;
            if (v >= 64) break;
            acc = acc << 6 | v;
            if (++have == 4) {
                *o++ = (uint8_t)(acc >> 16);
                *o++ = (uint8_t)(acc >> 8);
                *o++ = (uint8_t)acc;
                have = 0;
                acc = 0;
            }
        }
        o = b64_flush(acc, have, o);
        p = end + 1; /* may pass n by one: the loop ends */
    }
    return (size_t)(o - out);
}

/* Decodes s[0, n) into out (base64_bound(n) bytes) in one of the ways above; returns the size. */
static size_t base64_decode(const uint8_t* s, size_t n, int mode, uint8_t* out)
{
    uint8_t* o = out;
    size_t p = 0;
    uint32_t acc = 0;
    int have = 0, counted = 0, wide = has_avx2();
    (void)wide;
    if (mode == B64_LINE || mode == B64_CLEAN) return b64_by_line(s, n, mode, out);
    while (p < n) {
        uint32_t v;
        if (have == 0 && counted == 0 && n - p >= 4) {
#if defined(__x86_64__)
            o = wide ? b64_run_avx2(s, n, &p, o) : b64_run(s, n, &p, o);
#else
            o = b64_run(s, n, &p, o);
#endif
            if (p >= n) break;
        }
        v = B64_VALUE[s[p++]];
        if (v < 64) {
            acc = acc << 6 | v;
            have++;
        } else if (v != 64) {
            continue;
        } else if (mode == B64_STOP) {
            counted++;
            if (have >= 2 && have + counted >= 4) break;
            continue;
        } else if (mode == B64_RESTART) {
            o = b64_flush(acc, have, o);
            acc = 0;
            have = 0;
            continue;
        } else if (mode == B64_CONTINUE) {
            continue;
        } else {
            counted++;
        }
        if (mode == B64_QUAD) {
            if (have + counted < 4) continue;
            if (have < 4) {
                o = b64_flush(acc, have, o);
                acc = 0;
                have = counted = 0;
                continue;
            }
        }
        if (have == 4) {
            *o++ = (uint8_t)(acc >> 16);
            *o++ = (uint8_t)(acc >> 8);
            *o++ = (uint8_t)acc;
            acc = 0;
            have = counted = 0;
        }
    }
    o = b64_flush(acc, have, o);
    return (size_t)(o - out);
}

typedef struct { /* what a base64 body looks like */
    size_t chars;        /* of the alphabet */
    size_t junk;         /* outside it, blanks and padding apart */
    size_t first_junk;   /* offset of the first, or n */
    size_t pads;
    size_t after_pad;    /* alphabet characters behind the first padding */
    size_t first_pad;    /* offset, or n */
    int odd_lines;       /* lines but the last whose length is no multiple of four */
} Base64Look;

static void base64_inspect(const uint8_t* s, size_t n, Base64Look* look)
{
    size_t p = 0, in_line = 0;
    int odd_before = 0, wide = has_avx2();
    (void)wide;
    memset(look, 0, sizeof *look);
    look->first_junk = look->first_pad = n;
    while (p < n) {
        uint32_t v;
#if defined(__x86_64__)
        if (wide && n - p >= 32) {
            size_t run = b64_clean_avx2(s + p, n - p);
            in_line += run;
            p += run;
        }
#endif
        /* Unrolled clean step: the common case is four alphabet characters. */
        while (n - p >= 4
               && !((B64_VALUE[s[p]] | B64_VALUE[s[p + 1]] | B64_VALUE[s[p + 2]] | B64_VALUE[s[p + 3]]) & 64)) {
            in_line += 4;
            p += 4;
        }
        if (p >= n) break;
        v = B64_VALUE[s[p]];
        if (v < 64) {
            in_line++;
        } else if (s[p] == '\n') {
            if (in_line) look->odd_lines += odd_before, odd_before = (in_line & 3) != 0;
            look->chars += in_line;
            if (look->pads) look->after_pad += in_line;
            in_line = 0;
        } else if (v == 64) {
            if (look->pads++ == 0) {
                look->first_pad = p;
                look->chars += in_line;
                odd_before = 0;
                in_line = 0;
            }
        } else if (v == 66) {
            if (look->junk++ == 0) look->first_junk = p;
        }
        p++;
    }
    if (in_line) look->odd_lines += odd_before;
    look->chars += in_line;
    if (look->pads) look->after_pad += in_line;
}

#endif
