/* Addresses (URLs): where they stand in plain text, and their host as a browser reads it.
 *
 * Bounded and linear: a search goes on behind what it has looked at. Source: WHATWG URL 4.4 (special schemes), 3.5
 * (host parsing), RFC 3986. Not here: which names are registered (core/extract/urls.py), internationalised names. */
#ifndef MXWARD_URLS_H
#define MXWARD_URLS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* What is unusual about an address. */
enum {
    URL_NUMBER = 1,     /* the host is a network address */
    URL_ODD_NUMBER = 2, /* ... not written as four decimal numbers */
    URL_USER = 4,       /* something stands before an '@' */
    URL_PUNYCODE = 8,   /* a label of the host begins with xn-- */
    URL_DEEP = 16,      /* more than five dots and fifty bytes of host */
    URL_FRAGMENT = 32,  /* a mailbox behind '#' */
    URL_FOREIGN = 64,   /* host with bytes other than ASCII */
    URL_ESCAPED = 128,  /* host with %-escapes */
    URL_BROKEN = 256,   /* no browser reads it */
    URL_BACKSLASH = 512,/* backslashes where slashes belong */
};
#define URL_HOST 256

typedef struct {
    uint8_t host[URL_HOST]; size_t n;  /* lower case, escapes resolved, without the last dot; numbers as 1.2.3.4 */
    uint32_t traits;
    size_t rest;                       /* where the path begins */
} url_parts;

static inline uint8_t url_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
static inline int url_alnum(uint8_t c)
{
    c = url_lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static inline int url_hex(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = url_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One part of a numeric host, decimal, octal (0...) or hexadecimal (0x...); -1 when it is none, or too large. */
static int64_t url_number(const uint8_t *at, size_t n, int *odd)
{
    uint64_t value = 0, base = 10;
    if (n == 0) return -1;
    if (n >= 2 && at[0] == '0' && url_lower(at[1]) == 'x') { base = 16; at += 2; n -= 2; *odd = 1; }
    else if (n >= 2 && at[0] == '0') { base = 8; at++; n--; *odd = 1; }
    for (size_t i = 0; i < n; i++) {
        int digit = url_hex(at[i]);
        if (digit < 0 || (uint64_t)digit >= base) return -1;
        value = value * base + (uint64_t)digit;
        if (value > 0xffffffffu) return -1;
    }
    return (int64_t)value;
}

/* A host of numbers as browsers read it: the last part fills what is left of 32 bits. Rewrites the host. */
static void url_numeric(url_parts *p)
{
    int64_t parts[4];
    int n = 0, odd = 0;
    size_t start = 0;
    if (p->n == 0 || p->n > 60 || url_hex(p->host[p->n - 1]) < 0) return;
    for (size_t i = 0; i <= p->n; i++)
        if (i == p->n || p->host[i] == '.') {
            if (n == 4 || (parts[n++] = url_number(p->host + start, i - start, &odd)) < 0) return;
            start = i + 1;
        }
    uint64_t address = 0;
    for (int i = 0; i + 1 < n; i++) {
        if (parts[i] > 255) return;
        address |= (uint64_t)parts[i] << (24 - 8 * i);
    }
    if (n > 1 && parts[n - 1] >= (int64_t)1 << (8 * (5 - n))) return;
    address |= (uint64_t)parts[n - 1];
    p->traits |= URL_NUMBER | (odd || n != 4 ? URL_ODD_NUMBER : 0);
    p->n = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        uint32_t byte = address >> shift & 255;
        if (byte >= 100) p->host[p->n++] = (uint8_t)('0' + byte / 100);
        if (byte >= 10) p->host[p->n++] = (uint8_t)('0' + byte / 10 % 10);
        p->host[p->n++] = (uint8_t)('0' + byte % 10);
        if (shift) p->host[p->n++] = '.';
    }
}

/* Host [at, end): escapes, case, last dot. A longer one than URL_HOST is broken. */
static void url_host(url_parts *p, const uint8_t *s, size_t at, size_t end)
{
    size_t dots = 0;
    if (at < end && s[at] == '[') {
        const uint8_t *close = memchr(s + at, ']', end - at);
        p->traits |= close ? URL_NUMBER | URL_ODD_NUMBER : URL_BROKEN;
        end = close ? (size_t)(close - s) + 1 : end;
    } else {
        const uint8_t *colon = memchr(s + at, ':', end - at);
        if (colon) end = (size_t)(colon - s);
        if (memchr(s + at, ']', end - at) || memchr(s + at, '[', end - at)) p->traits |= URL_BROKEN;
    }
    while (at < end) {
        uint8_t c = s[at++];
        if (c == '%' && end - at >= 2 && url_hex(s[at]) >= 0 && url_hex(s[at + 1]) >= 0) {
            c = (uint8_t)(url_hex(s[at]) << 4 | url_hex(s[at + 1]));
            at += 2;
            p->traits |= URL_ESCAPED;
        }
        if (p->n == URL_HOST) { p->traits |= URL_BROKEN; return; }
        if (c >= 0x80) p->traits |= URL_FOREIGN;
        dots += c == '.';
        p->host[p->n++] = url_lower(c);
    }
    if (p->n && p->host[p->n - 1] == '.') p->n--;
    if (dots >= 5 && p->n > 50) p->traits |= URL_DEEP;
    for (size_t i = 0; i + 4 <= p->n; i++)
        if (p->host[i] == 'x' && memcmp(p->host + i, "xn--", 4) == 0 && (i == 0 || p->host[i - 1] == '.')) p->traits |= URL_PUNYCODE;
    if (!(p->traits & URL_NUMBER)) url_numeric(p);
}

/* Is there "x@y.z" in [at, n)? */
static int url_has_mailbox(const uint8_t *s, size_t at, size_t n)
{
    const uint8_t *sign;
    while (at < n && (sign = memchr(s + at, '@', n - at)) != NULL) {
        size_t i = (size_t)(sign - s), end = i + 1;
        while (end < n && end - i < 66 && (url_alnum(s[end]) || s[end] == '-' || s[end] == '_' || s[end] >= 0x80)) end++;
        if (i > at && end > i + 1 && end + 1 < n && s[end] == '.' && (url_alnum(s[end + 1]) || s[end + 1] >= 0x80)) {
            uint8_t before = s[i - 1];
            if (url_alnum(before) || before == '_' || before == '.' || before == '+' || before == '-' || before >= 0x80) return 1;
        }
        at = i + 1;
    }
    return 0;
}

/* An http(s) address, or one that begins with "//" or "www.". Returns 0 when it is none of these. */
static int url_split(url_parts *p, const uint8_t *s, size_t n)
{
    size_t at = 0, end;
    p->n = p->traits = 0;
    if (n >= 5 && url_lower(s[0]) == 'h' && url_lower(s[1]) == 't' && url_lower(s[2]) == 't' && url_lower(s[3]) == 'p') {
        at = 4 + (url_lower(s[4]) == 's');
        if (at >= n || s[at] != ':') return 0;
        at++;
    } else if (!(n >= 2 && (s[0] == '/' || s[0] == '\\') && (s[1] == '/' || s[1] == '\\')) && !(n >= 4 && url_lower(s[0]) == 'w'
               && url_lower(s[1]) == 'w' && url_lower(s[2]) == 'w' && s[3] == '.')) return 0;
    /* any number of slashes: "http:host" is read as "http://host" */
    while (at < n && (s[at] == '/' || s[at] == '\\')) p->traits |= s[at++] == '\\' ? URL_BACKSLASH : 0;
    end = at;
    size_t user = at;
    while (end < n && s[end] != '/' && s[end] != '\\' && s[end] != '?' && s[end] != '#') {
        if (s[end] == '@') user = end + 1;
        end++;
    }
    if (user > at) p->traits |= URL_USER;
    p->rest = end;
    url_host(p, s, user, end);
    const uint8_t *fragment = memchr(s + end, '#', n - end);
    if (fragment && url_has_mailbox(s, (size_t)(fragment - s) + 1, n)) p->traits |= URL_FRAGMENT;
    return 1;
}

/* -- plain text -------------------------------------------------------------------------------------------- */
enum { URL_PLAIN = 0, URL_WWW, URL_BARE, URL_DEFANGED };
typedef struct { size_t start, end; int kind; } url_found;
#define URL_LONGEST 4096

/* May the byte be part of an address in text? White space, quotes, brackets and backslashes end it. */
static const uint8_t URL_ENDS[256] = {
    [0] = 1, [9] = 1, [10] = 1, [11] = 1, [12] = 1, [13] = 1, [28] = 1, [29] = 1, [30] = 1, [31] = 1, [' '] = 1, ['<'] = 1, ['>'] = 1,
    ['"'] = 1, ['\''] = 1, ['\\'] = 1, [')'] = 1, [']'] = 1, ['}'] = 1,
};

/* Next ':' or '.' at or after `at`. */
static size_t url_next(const uint8_t *s, size_t n, size_t at)
{
#if defined(__SSE2__)
    const __m128i colon = _mm_set1_epi8(':'), dot = _mm_set1_epi8('.');
    for (; at + 16 <= n; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(s + at));  /* at + 16 <= n */
        int mask = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, colon), _mm_cmpeq_epi8(block, dot)));
        if (mask) return at + (size_t)__builtin_ctz((unsigned)mask);
    }
#endif
    while (at < n && s[at] != ':' && s[at] != '.') at++;
    return at;
}

/* Where an address in text ends that began before `at`; signs that end a sentence do not belong to it. */
static size_t url_end(const uint8_t *s, size_t n, size_t at, size_t least)
{
    size_t limit = n - at < URL_LONGEST ? n : at + URL_LONGEST;
    while (at < limit && !URL_ENDS[s[at]]) {
        if (at + 1 < limit && s[at] == 0xc2 && (s[at + 1] == 0xa0 || s[at + 1] == 0x85)) break;  /* wide spaces */
        if (at + 2 < limit && s[at] == 0xe2 && s[at + 1] == 0x80 && s[at + 2] <= 0x8b) break;
        if (at + 2 < limit && s[at] == 0xe3 && s[at + 1] == 0x80 && s[at + 2] == 0x80) break;
        at++;
    }
    while (at > least && strchr(".,;:!?", s[at - 1]) && s[at - 1]) at--;
    return at;
}

static int url_word(const uint8_t *s, size_t end, const char *word)
{
    size_t k = strlen(word);
    if (end < k) return 0;
    for (size_t i = 0; i < k; i++)
        if (url_lower(s[end - k + i]) != (uint8_t)word[i]) return 0;
    return 1;
}

/* A name of labels around the dot at `dot`, from `low` on; 0 when it is none. `brackets`: dots may stand as "[.]". */
static int url_bare(const uint8_t *s, size_t n, size_t dot, size_t low, url_found *f)
{
    size_t start = dot, end = dot;
    int brackets = 0;
    while (start > low && dot - start < 253
           && (url_alnum(s[start - 1]) || s[start - 1] == '-' || s[start - 1] == '.' || s[start - 1] == '[')) start--;
    while (start < dot && !url_alnum(s[start])) start++;
    while (end < n && end - dot < 253 && (url_alnum(s[end]) || s[end] == '-' || s[end] == '.'
           || (s[end] == '[' && end + 1 < n && s[end + 1] == '.') || (s[end] == ']' && s[end - 1] == '.'))) {
        brackets |= s[end] == '[' || s[end] == ']';
        end++;
    }
    f->end = end > dot ? end : dot + 1;
    while (end > dot && !url_alnum(s[end - 1])) end--;
    if (start == dot || end <= dot + 2) return 0;
    f->start = start;
    f->end = end;
    if (start > 0 && (s[start - 1] == '@' || s[start - 1] == '/' || s[start - 1] == '=' || s[start - 1] >= 0x80
                      || s[start - 1] == '_' || s[start - 1] == '%')) return 0;
    if (end < n && (s[end] == '@' || s[end] == '_' || s[end] >= 0x80)) return 0;
    f->kind = brackets ? URL_DEFANGED : URL_BARE;
    return 1;
}

/* The next address at or after *at; 0 when there is none. *at moves behind it. Bare names are to be checked by the
 * caller for their last label. */
static int url_find(const uint8_t *s, size_t n, size_t *at, url_found *f)
{
    size_t low = *at;
    for (size_t i = *at; (i = url_next(s, n, i)) < n;) {
        if (s[i] == ':') {
            int https = url_word(s + low, i - low, "https"), http = https || url_word(s + low, i - low, "http");
            int fanged = !http && (url_word(s + low, i - low, "hxxps") || url_word(s + low, i - low, "hxxp"));
            if ((http || fanged) && n - i >= 6 && s[i + 1] == '/' && s[i + 2] == '/') {
                size_t begin = i + 3;
                f->start = i - 4 - (url_lower(s[i - 1]) == 's');
                f->kind = fanged ? URL_DEFANGED : URL_PLAIN;
                f->end = url_end(s, n, begin, begin);
                if (fanged || f->end >= begin + 3) {
                    size_t bare = f->end;
                    while (n - bare >= 3 && s[bare - 1] == '[' && s[bare] == '.' && s[bare + 1] == ']') {
                        f->kind = URL_DEFANGED;
                        bare = url_end(s, n, bare + 2, bare + 2);
                    }
                    f->end = bare;
                    *at = f->end;
                    if (f->end >= begin + 3) return 1;
                }
            }
            i++;
            continue;
        }
        if (i - low >= 3 && url_word(s + low, i - low, "www")) {
            f->start = i - 3;
            f->kind = URL_WWW;
            f->end = url_end(s, n, i + 1, i + 1);
            if (f->end >= i + 4) { *at = f->end; return 1; }
        } else if (i > low && (url_alnum(s[i - 1]) || s[i - 1] == '[') && i + 1 < n && (url_alnum(s[i + 1]) || s[i + 1] == ']')) {
            if (url_bare(s, n, i, low, f)) { *at = f->end; return 1; }
            i = f->end > i ? f->end : i + 1;
            low = i;
            continue;
        }
        i++;
    }
    *at = n;
    return 0;
}
#endif
