/* Encoded words of header fields (RFC 2047), found and decoded as SpamAssassin does. */
#ifndef SA_WORDS_H
#define SA_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    size_t charset, charset_n, text, text_n, end; /* places in the value */
    int is_base64;
} sw_word;

static inline int sw_alnum(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline int sw_space(uint8_t c) {
    return c == ' ' || (c >= 9 && c <= 13);
}

/* Whether an encoded word stands at s[at]. What it holds may be anything but a question mark. */
static int sw_at(const uint8_t *s, size_t n, size_t at, sw_word *w) {
    if (n - at < 8 || s[at] != '=' || s[at + 1] != '?') return 0;
    size_t p = w->charset = at + 2;
    while (p < n && (sw_alnum(s[p]) || s[p] == '*' || s[p] == '_' || s[p] == '-')) p++;
    w->charset_n = p - w->charset;
    if (!w->charset_n || n - p < 5 || s[p] != '?' || s[p + 2] != '?') return 0;
    uint8_t kind = s[p + 1] | 32;
    if (kind != 'b' && kind != 'q') return 0;
    w->is_base64 = kind == 'b';
    w->text = p + 3;
    const uint8_t *mark = memchr(s + w->text, '?', n - w->text);
    if (!mark || mark + 1 >= s + n || mark[1] != '=') return 0;
    w->text_n = (size_t)(mark - s) - w->text;
    w->end = (size_t)(mark - s) + 2;
    return 1;
}

/* The value without the white space between two encoded words; at most n bytes. */
static size_t sw_close(const uint8_t *s, size_t n, uint8_t *out) {
    size_t at = 0, end = 0;
    while (at < n) {
        sw_word w, next;
        if (s[at] == '=' && sw_at(s, n, at, &w) && w.end < n && sw_space(s[w.end])) {
            size_t p = w.end;
            while (p < n && sw_space(s[p])) p++;
            if (p < n && sw_at(s, n, p, &next)) {
                memcpy(out + end, s + at, w.end - at);
                end += w.end - at;
                at = p;
                continue;
            }
        }
        out[end++] = s[at++];
    }
    return end;
}

static inline int sw_hex(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static inline int sw_sextet(uint8_t c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* What a word holds; at most text_n bytes. */
static size_t sw_decode(const uint8_t *s, const sw_word *w, uint8_t *out) {
    const uint8_t *t = s + w->text;
    size_t end = 0;
    uint32_t bits = 0, n_bits = 0;
    for (size_t i = 0; i < w->text_n; i++) {
        if (w->is_base64) {
            int value = sw_sextet(t[i]);
            if (value < 0) continue;
            bits = bits << 6 | (uint32_t)value;
            n_bits += 6;
            if (n_bits < 8) continue;
            n_bits -= 8;
            out[end++] = (uint8_t)(bits >> n_bits);
        } else if (t[i] == '=' && w->text_n - i > 2 && sw_hex(t[i + 1]) >= 0 && sw_hex(t[i + 2]) >= 0) {
            out[end++] = (uint8_t)(sw_hex(t[i + 1]) << 4 | sw_hex(t[i + 2]));
            i += 2;
        } else {
            out[end++] = t[i] == '_' ? ' ' : t[i];
        }
    }
    return end;
}

#endif
