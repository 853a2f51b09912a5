/* Counts over bytes of a message that SpamAssassin's eval tests ask for: lines, escapes, letters, spaces.
 *
 * One pass each, nothing is copied and nothing is read beyond the end. Source: behaviour of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_COUNT_H
#define MXWARD_SA_COUNT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SC_ESCAPES = 1, SC_TEXT = 2 };  /* what is counted besides lines */

typedef struct {
    size_t size;      /* bytes, CRLF counted as one */
    size_t longest;   /* bytes of the longest line, its line end counted as one */
    size_t blank;     /* most blank lines one after the other */
    long escapes;     /* =XX of quoted-printable for what need not be escaped, without those before a line end */
    size_t entities;  /* &#xXXXX; */
    int is_odd;       /* whether there are bytes beyond ASCII, NUL, or CR without LF */
} sc_part;

static inline int sc_is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }
static inline int sc_is_space(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }
static inline int sc_is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static inline int sc_is_hex(uint8_t c) { return sc_is_digit(c) || (c >= 'A' && c <= 'F'); }

/* Whether =XX at s, of which 3 bytes can be read, stands for a character that quoted-printable leaves alone, or for
 * white space: 09, 20-2F, 30-39, 3A, 3B, 3C, 3E, 3F, 40-6F, 70-7E. */
static inline int sc_is_needless(const uint8_t *s)
{
    uint8_t c = s[2];
    switch (s[1]) {
    case '0': return c == '9';
    case '2': case '4': case '5': case '6': return sc_is_hex(c);
    case '3': return sc_is_digit(c) || c == 'A' || c == 'B' || c == 'C' || c == 'E' || c == 'F';
    case '7': return sc_is_hex(c) && c != 'F';
    default: return 0;
    }
}

/* Needless escapes in the n bytes of a line, without those of tab and space at its end. */
static long sc_escapes(const uint8_t *s, size_t n)
{
    long count = 0;
    size_t at = 0;
    while (n - at >= 3) {  /* at <= n: a step is at most what was found to be there */
        const uint8_t *mark = memchr(s + at, '=', n - at - 2);
        if (!mark) break;
        at = (size_t)(mark - s);
        if (sc_is_needless(mark)) { count++; at += 3; } else at++;
    }
    while (n && sc_is_blank(s[n - 1])) n--;
    while (n >= 3 && s[n - 3] == '=' && ((s[n - 2] == '0' && s[n - 1] == '9') || (s[n - 2] == '2' && s[n - 1] == '0'))) {
        count--;
        n -= 3;
    }
    return count;
}

static size_t sc_entities(const uint8_t *s, size_t n)
{
    size_t count = 0, at = 0;
    while (n - at >= 8) {  /* at <= n, as above */
        const uint8_t *mark = memchr(s + at, '&', n - at - 7);
        if (!mark) break;
        at = (size_t)(mark - s);
        if (mark[1] == '#' && mark[2] == 'x' && sc_is_hex(mark[3]) && sc_is_hex(mark[4]) && sc_is_hex(mark[5])
            && sc_is_hex(mark[6]) && mark[7] == ';') {
            count++;
            at += 8;
        } else at++;
    }
    return count;
}

static int sc_beyond_ascii(const uint8_t *s, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) any |= s[i];
    return any & 0x80;
}

/* Counts the n bytes of a part as they stand in the message. */
static void sc_count(const uint8_t *s, size_t n, int wanted, sc_part *out)
{
    size_t at = 0, run = 0;
    memset(out, 0, sizeof *out);
    while (at < n) {
        const uint8_t *mark = memchr(s + at, '\n', n - at);
        size_t end = mark ? (size_t)(mark - s) : n, stop = end, p = at;
        if (mark && end > at && s[end - 1] == '\r') stop--;
        size_t line = stop - at + (mark != NULL);
        out->size += line;
        if (line > out->longest) out->longest = line;
        while (p < stop && sc_is_blank(s[p])) p++;
        run = p == stop && mark ? run + 1 : 0;
        if (run > out->blank) out->blank = run;
        if (wanted & SC_ESCAPES) out->escapes += sc_escapes(s + at, stop - at);
        if ((wanted & SC_TEXT) && !out->is_odd) out->is_odd = memchr(s + at, '\r', stop - at) != NULL;
        at = mark ? end + 1 : n;
    }
    if (wanted & SC_TEXT) {
        out->entities = sc_entities(s, n);
        out->is_odd |= sc_beyond_ascii(s, n) || memchr(s, 0, n) != NULL;
    }
}

typedef struct {
    size_t size, large, small;  /* bytes, capitals, small letters and digits of segments of words */
    int spaces;                 /* most spaces a hundred other characters of a segment, at most 100; -1: of none */
} sc_lines;

/* Adds capitals, small letters and digits, and spaces of n bytes. */
static inline __attribute__((always_inline))
void sc_letters_by_blocks(const uint8_t *s, size_t n, size_t *large, size_t *small, size_t *spaces)
{
    while (n) {  /* blocks whose counts fit into a byte, so that the compiler can count as many as a register holds at once */
        size_t block = n < 255 ? n : 255;
        uint8_t a = 0, b = 0, c = 0;
        for (size_t i = 0; i < block; i++) {
            a += (uint8_t)(s[i] - 'A') < 26;
            b += ((uint8_t)(s[i] - 'a') < 26) | ((uint8_t)(s[i] - '0') < 10);
            c += s[i] == ' ';
        }
        *large += a; *small += b; *spaces += c;
        s += block;
        n -= block;
    }
}

typedef void sc_counter(const uint8_t *s, size_t n, size_t *large, size_t *small, size_t *spaces);

static void sc_letters_portable(const uint8_t *s, size_t n, size_t *large, size_t *small, size_t *spaces)
{
    sc_letters_by_blocks(s, n, large, small, spaces);
}

#if defined(__x86_64__)
__attribute__((target("avx2")))
static void sc_letters_avx2(const uint8_t *s, size_t n, size_t *large, size_t *small, size_t *spaces)
{
    sc_letters_by_blocks(s, n, large, small, spaces);
}
#endif

static sc_counter *sc_letters = sc_letters_portable;

/* Chooses the counter for this machine, or the portable one. */
static void sc_choose(int is_portable)
{
    sc_letters = sc_letters_portable;
#if defined(__x86_64__)
    if (!is_portable && __builtin_cpu_supports("avx2")) sc_letters = sc_letters_avx2;
#endif
}

/* Whether the segment begins with two lines of base64, now parted by spaces. */
static int sc_is_base64(const uint8_t *s, size_t n)
{
    size_t p = 0;
    for (int line = 0; line < 2; line++, p++) {
        size_t from = p;
        while (p < n && ((uint8_t)((s[p] | 32) - 'a') < 26 || sc_is_digit(s[p]) || s[p] == '+' || s[p] == '/' || s[p] == '=')) p++;
        if (p - from < 60 || p - from > 76 || p >= n || s[p] != ' ') return 0;
    }
    return 1;
}

/* Whether white space stands between other characters. */
static int sc_has_words(const uint8_t *s, size_t n)
{
    size_t p = 0;
    while (p < n && sc_is_space(s[p])) p++;
    while (p < n && !sc_is_space(s[p])) p++;
    while (p < n && sc_is_space(s[p])) p++;
    return p < n;
}

/* Letters of a segment that has escapes of ISO 2022: what stands between ESC $ B and the last ESC ( B is left out. */
static void sc_shifted(const uint8_t *s, size_t n, sc_lines *out)
{
    size_t at = 0, last = 0, spaces = 0;
    for (size_t i = 2; i < n; i++) if (s[i - 2] == 0x1B && s[i - 1] == '(' && s[i] == 'B') last = i + 1;
    while (at < n) {
        size_t end = at + 1;
        if (s[at] == 0x1B && n - at > 2 && s[at + 1] == '$' && s[at + 2] == 'B' && last > at) { at = last; continue; }
        while (end < n && s[end] != 0x1B) end++;
        out->size += end - at;
        sc_letters(s + at, end - at, &out->large, &out->small, &spaces);
        at = end;
    }
}

/* Counts a segment of n bytes. */
static void sc_segment(const uint8_t *s, size_t n, sc_lines *out)
{
    size_t large = 0, small = 0, spaces = 0, rest;
    sc_letters(s, n, &large, &small, &spaces);
    if (sc_has_words(s, n) && !sc_is_base64(s, n)) {
        if (memchr(s, 0x1B, n)) sc_shifted(s, n, out);
        else { out->size += n; out->large += large; out->small += small; }
    }
    if (n <= 5) return;
    rest = n - spaces;
    int share = spaces > rest || !rest ? 100 : (int)(100 * spaces / rest);
    if (share > out->spaces) out->spaces = share;
}

/* Bytes that should not stand in a header field: controls but tab and line ends, DEL, and all beyond ASCII. */
static size_t sc_illegal(const uint8_t *s, size_t n)
{
    size_t count = 0;
    while (n) {
        size_t block = n < 255 ? n : 255;
        uint8_t c = 0;
        for (size_t i = 0; i < block; i++)
            c += ((s[i] < 32) & (s[i] != 9) & (s[i] != 10) & (s[i] != 13)) | (s[i] >= 127);
        count += c;
        s += block;
        n -= block;
    }
    return count;
}

#endif
