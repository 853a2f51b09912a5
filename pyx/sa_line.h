/* White space squeezed into segments, and addresses in plain text, as SpamAssassin does both.
 *
 * Source: behaviour of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_LINE_H
#define MXWARD_SA_LINE_H

#include "sa_state.h"

#define SQ_LINE 2048  /* bytes of a segment */

/* Size of the white space character at s[p], 0 when it is none. */
static inline size_t sq_space(const uint8_t *s, size_t n, size_t p, int is_wide)
{
    uint8_t c = s[p];
    if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
    if (!is_wide) return 0;
    if (c == 0xC2 && n - p >= 2) return s[p + 1] == 0xA0 || s[p + 1] == 0x85 ? 2 : 0;
    if (n - p < 3 || (c != 0xE1 && c != 0xE2 && c != 0xE3)) return 0;
    uint32_t code = (uint32_t)(c & 15) << 12 | (uint32_t)(s[p + 1] & 63) << 6 | (s[p + 2] & 63);
    return sa_wide_space(code) ? 3 : 0;
}

/* Writes n bytes of text squeezed to out (room for n) and returns the size. A run of white space becomes a space; one
 * with two line ends or more becomes a line end, with a space where it has more before or behind them. */
static size_t sq_squeeze(const uint8_t *s, size_t n, int is_wide, uint8_t *out)
{
    size_t p = 0, q = 0, size;
    while (p < n) {
        uint8_t c = s[p];
        if (c > ' ' && c < 0x80) { out[q++] = c; p++; continue; }
        size = sq_space(s, n, p, is_wide);
        if (!size) { out[q++] = c ? c : '\n'; p++; continue; }
        size_t first = n, last = 0, from = p;
        int lines = 0;
        do {
            if (s[p] == '\n') { if (!lines++) first = p; last = p; }
            p += size;
        } while (p < n && (size = sq_space(s, n, p, is_wide)));
        if (lines < 2) { out[q++] = ' '; continue; }
        if (first > from) out[q++] = ' ';
        out[q++] = '\n';
        if (p > last + 1) out[q++] = ' ';
    }
    return q;
}

/* How many segments n bytes have and, unless `starts` is NULL, where each starts: callers count first. */
static size_t sq_starts(const uint8_t *s, size_t n, uint32_t *starts)
{
    size_t at = 0, count = 0;
    while (at < n) {
        const uint8_t *mark = memchr(s + at, '\n', n - at);
        size_t end = mark ? (size_t)(mark - s) + 1 : n;
        while (end - at > SQ_LINE) {
            size_t cut = at + SQ_LINE;
            while (cut > at && s[cut] != ' ') cut--;
            if (starts) starts[count] = (uint32_t)at;
            count++;
            at = s[cut] == ' ' ? cut + 1 : at + SQ_LINE;
        }
        if (at < end) { if (starts) starts[count] = (uint32_t)at; count++; }
        at = end;
    }
    return count;
}

/* -- addresses in text. A token is what stands between characters that end an address. */
enum { SU_END = 1, SU_START = 2, SU_END_MAIL = 4, SU_BARE_START = 8, SU_WORD = 16, SU_HOST = 32 };
static uint8_t su_class[256];
#define SU_MAX 2048       /* bytes of an address behind its scheme */
#define SU_MAX_PLAIN 8192 /* bytes of an address that may be plain */
#define SU_MAX_MAIL 251
#define SU_MAX_HOST 252   /* bytes of a host before its top-level domain's dot */

static void su_init(void)
{
    const char *ends = "><\"`}]{[| \t\n\v\f\r\x1b\xa0", *starts = "><\"'`,{[(| \t\n\v\f\r\x1b\xa0";
    const char *bare = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}~ \t\n\v\f\r\x1b\xa0";
    memset(su_class, 0, sizeof(su_class));
    for (; *ends; ends++) su_class[(uint8_t)*ends] |= SU_END | SU_END_MAIL;
    for (; *starts; starts++) su_class[(uint8_t)*starts] |= SU_START;
    for (; *bare; bare++) su_class[(uint8_t)*bare] |= SU_BARE_START;
    for (int c = 0; c < 256; c++) {
        if (c >= 0x80 || c == ',' || c == '(' || c == '\'') su_class[c] |= SU_END_MAIL;
        if (se_alnum((uint8_t)c)) su_class[c] |= SU_WORD;
        if ((se_alnum((uint8_t)c) && c != '_') || c == '.' || c == '_' || c == '-') su_class[c] |= SU_HOST;
    }
}

static int su_begins(const uint8_t *s, size_t n, const char *word)
{
    size_t i = 0;
    while (word[i]) {
        if (i >= n || sa_lower(s[i]) != (uint8_t)word[i]) return 0;
        i++;
    }
    return (int)i;
}

/* Size of the known beginning of an address at s: http://, https://, ftp://, www., www12., ftp.; or 0. */
static size_t su_known(const uint8_t *s, size_t n)
{
    size_t size;
    if ((size = (size_t)su_begins(s, n, "http://"))) return size;
    if ((size = (size_t)su_begins(s, n, "https://"))) return size;
    if ((size = (size_t)su_begins(s, n, "ftp://"))) return size;
    if ((size = (size_t)su_begins(s, n, "ftp."))) return size;
    if (!su_begins(s, n, "www")) return 0;
    size = 3;
    while (size < 5 && size < n && s[size] >= '0' && s[size] <= '9') size++;
    return size < n && s[size] == '.' ? size + 1 : 0;
}

/* Size of a mail address at s, token of n bytes; 0 when there is none. */
static size_t su_mail(const uint8_t *s, size_t n)
{
    size_t p = (size_t)su_begins(s, n, "mailto:");
    if (p) {
        size_t from = p;
        while (p < n && !(su_class[s[p]] & SU_END_MAIL)) p++;
        if (p > from && p - from <= SU_MAX) return p;
        p = 0;
    }
    while (p < n && p <= SU_MAX_MAIL && !(su_class[s[p]] & SU_END_MAIL) && s[p] != '@') p++;
    if (p == 0 || p >= n || p > SU_MAX_MAIL || s[p] != '@') return 0;
    size_t from = ++p;
    while (p < n && p - from <= SU_MAX_MAIL && !(su_class[s[p]] & SU_END_MAIL)) p++;
    return p > from && p - from <= SU_MAX_MAIL ? p : 0;
}

/* Size of the host of an address without a scheme that fills the token of n bytes; 0 when it is none. *dot: where its
 * top-level domain begins, less one. Whether that is known is for the caller. */
static size_t su_bare(const uint8_t *s, size_t n, size_t *dot)
{
    size_t p = 0, host;
    if (!(su_class[s[0]] & SU_HOST) || s[0] == '.' || s[0] == '-' || s[0] == '_') return 0;
    while (p < n && (su_class[s[p]] & SU_HOST)) p++;
    host = s[p - 1] == '.' ? p - 1 : p;
    if (p < n && s[p] == ':') {
        size_t from = ++p;
        while (p < n && s[p] >= '0' && s[p] <= '9') p++;
        if (p == from || p - from > 5) return 0;
    }
    if (p < n && (s[p] != '/' || n - p - 1 == 0 || n - p - 1 > SU_MAX)) return 0;
    *dot = host;
    while (*dot > 0 && s[*dot - 1] != '.') (*dot)--;
    if (*dot < 2 || *dot == host) return 0;
    (*dot)--;
    return *dot <= SU_MAX_HOST ? host : 0;
}

/* End of the host name at s[at], letters, digits and hyphens in two labels or more; 0 when there is none. *dot: the last
 * dot in it. */
static size_t su_host(const uint8_t *s, size_t n, size_t at, size_t *dot)
{
    size_t start = at, label = at;
    *dot = 0;
    for (; at < n; at++) {
        if (s[at] == '.') {
            if (at == label || at - label > 63 || s[at - 1] == '-') return 0;
            *dot = at;
            label = at + 1;
        } else if (s[at] == '-') {
            if (at == label) return 0;
        } else if (!se_alnum(s[at]) || s[at] == '_') {
            break;
        }
    }
    if (!*dot || at == label || at - label > 63 || s[at - 1] == '-' || at - start > 253) return 0;
    return at;
}

static inline int su_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* Whether what follows a host may be meant in one way only: nothing encoded, no address in it, no white space around. */
static int su_plain_path(const uint8_t *s, size_t n)
{
    if (n == 0) return 1;
    if (s[0] != '/' || s[n - 1] <= ' ') return 0;
    for (size_t i = 1; i < n; i++) {
        uint8_t c = s[i];
        if (c == '\\' || c == '\n' || c == '\r') return 0;
        if (c == '%' && n - i > 2 && su_hex(s[i + 1]) && su_hex(s[i + 2])) return 0;
        if (c == '#' && s[i - 1] == '&') return 0;
        if ((c | 32) == 'h' && su_begins(s + i, n - i, "http")) return 0;
    }
    return 1;
}

/* Where the host of a plain web or mail address begins; 0 for any other. *end, *dot: its end and its last dot. */
static size_t su_plain(const uint8_t *s, size_t n, size_t *end, size_t *dot)
{
    size_t at = n > 7 && memcmp(s, "http://", 7) == 0 ? 7 : n > 8 && memcmp(s, "https://", 8) == 0 ? 8 : 0;
    if (at) {
        *end = su_host(s, n, at, dot);
        return *end && su_plain_path(s + *end, n - *end) ? at : 0;
    }
    if (n < 8 || memcmp(s, "mailto:", 7) != 0) return 0;
    for (at = 7; at < n && (se_alnum(s[at]) || (s[at] && strchr(".+=-", s[at]))); at++) {}
    if (at == 7 || at >= n || s[at] != '@') return 0;
    *end = su_host(s, n, ++at, dot);
    return *end == n ? at : 0;
}

#endif
