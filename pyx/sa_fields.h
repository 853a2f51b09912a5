/* Header fields of one part: where their names and values are, which have a name, a value unfolded.
 *
 * Text has LF line ends but for what pyx/safields.pyx says. Nothing here allocates.
 */
#ifndef SA_FIELDS_H
#define SA_FIELDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint32_t name, name_n;   /* place and size in the text */
    uint32_t value, value_n;
    uint32_t hash;           /* of the name in lower case */
    uint32_t next;           /* number of the next field of the same slot + 1, 0: none */
} sf_field;

static inline uint8_t sf_lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

static inline uint32_t sf_hash(const uint8_t *s, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ sf_lower(s[i])) * 16777619u;
    return h ^ h >> 15;
}

/* Whether s[0:n] in lower case is `lower`. */
static inline int sf_same(const uint8_t *s, const uint8_t *lower, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (sf_lower(s[i]) != lower[i]) return 0;
    return 1;
}

static inline int sf_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

static inline int sf_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* End of the logical line at `at`: the line and those behind it that begin with a blank; without the last LF. */
static inline size_t sf_line_end(const uint8_t *s, size_t n, size_t at) {
    for (;;) {
        const uint8_t *mark = memchr(s + at, '\n', n - at);
        if (!mark) return n;
        size_t end = (size_t)(mark - s);
        if (end + 1 >= n || !sf_blank(s[end + 1])) return end;
        at = end + 1;
    }
}

/* The next field at or behind *at; 0 when there is none. *at moves on. Lines without a colon are passed over, and
 * fields whose name begins with X-Spam-. Sizes are not cut yet. */
static inline int sf_next(const uint8_t *s, size_t n, size_t *at, sf_field *f) {
    while (*at < n) {
        if (s[*at] == '\n') {
            ++*at;
            continue;
        }
        size_t start = *at, end = sf_line_end(s, n, start);
        const uint8_t *colon = memchr(s + start, ':', end - start);
        *at = end < n ? end + 1 : n;
        if (!colon) continue;
        size_t name_n = (size_t)(colon - s) - start;
        if (name_n >= 7 && sf_same(s + start, (const uint8_t *)"x-spam-", 7)) continue;
        f->value = (uint32_t)(start + name_n + 1);
        f->value_n = (uint32_t)(end - f->value);
        while (name_n && sf_blank(s[start + name_n - 1])) name_n--;
        f->name = (uint32_t)start;
        f->name_n = (uint32_t)name_n;
        return 1;
    }
    return 0;
}

/* s with CR LF as LF; at most n bytes are written. */
static inline size_t sf_line_feeds(const uint8_t *s, size_t n, uint8_t *out) {
    size_t at = 0, end = 0;
    while (at < n) {
        const uint8_t *mark = memchr(s + at, '\r', n - at);
        size_t stop = mark ? (size_t)(mark - s) : n;
        memcpy(out + end, s + at, stop - at);
        end += stop - at;
        at = stop;
        if (mark && (at + 1 == n || s[at + 1] != '\n')) out[end++] = '\r';
        at += mark != NULL;
    }
    return end;
}

/* Whether text has bytes outside ASCII or what may begin an encoded word. */
static inline int sf_is_odd(const uint8_t *s, size_t n) {
    uint64_t all = 0, word;
    size_t at = 0;
    for (; n - at >= 8; at += 8) {
        memcpy(&word, s + at, 8);
        all |= word;
    }
    for (; at < n; at++) all |= s[at];
    if (all & 0x8080808080808080u) return 1;
    for (const uint8_t *p = s; n && (p = memchr(p, '?', n - (size_t)(p - s))); p++)
        if (p > s && p[-1] == '=') return 1;
    return 0;
}

/* A value unfolded and stripped into `out`, which has room for n bytes; where the result begins is *from.
 * A line feed and the blanks behind it become a space, any other line feed goes; `is_twice`: CR LF counts as LF.
 * *odd: it has bytes outside ASCII or what may begin an encoded word. */
static inline size_t sf_unfold(const uint8_t *s, size_t n, int is_twice, uint8_t *out, size_t *from, int *odd) {
    size_t at = 0, end = 0, start = 0;
    while (at < n) {
        const uint8_t *mark = memchr(s + at, '\n', n - at);
        size_t stop = mark ? (size_t)(mark - s) : n;
        memcpy(out + end, s + at, stop - at);
        end += stop - at;
        if (!mark) break;
        if (is_twice && stop > at && s[stop - 1] == '\r') end--;
        at = stop + 1;
        if (at >= n || !sf_blank(s[at])) continue;
        while (at < n && sf_blank(s[at])) at++;
        out[end++] = ' ';
    }
    while (start < end && sf_space(out[start])) start++;
    while (end > start && sf_space(out[end - 1])) end--;
    *from = start;
    *odd = sf_is_odd(out + start, end - start);
    return end - start;
}

typedef struct {
    uint32_t phrase, phrase_n, mail, mail_n;
} sf_mailbox;

static inline size_t sf_over_spaces(const uint8_t *s, size_t n, size_t at) {
    while (at < n && sf_space(s[at])) at++;
    return at;
}

/* End of atoms joined by one "@" at `at`; 0 when there are none. */
static inline size_t sf_mail(const uint8_t *s, size_t n, size_t at) {
    size_t start = at, mark = 0;
    for (; at < n; at++) {
        uint8_t c = s[at];
        if (c == '@') {
            if (mark || at == start) return 0;
            mark = at;
        } else if (sf_space(c) || memchr("<>()\"[],:;\\", c, 11)) {
            break;
        }
    }
    return mark && at > mark + 1 ? at : 0;
}

/* Whether s is one mailbox and nothing odd: name <mail>, "name" <mail> or mail. A name's size is 0 when there is none.
 */
static inline int sf_usual_mailbox(const uint8_t *s, size_t n, sf_mailbox *found) {
    size_t at = sf_over_spaces(s, n, 0), start = at, end;
    int is_quoted = at < n && s[at] == '"';
    if (is_quoted) {
        start = ++at;
        while (at < n && s[at] != '"' && s[at] != '\\' && s[at] != '@') at++;
        if (at == start || at == n || s[at] != '"') return 0;
        end = sf_over_spaces(s, n, at + 1);
        found->phrase = (uint32_t)start;
        found->phrase_n = (uint32_t)(at - start); /* the spaces behind the quotation mark belong to it too */
        at = end;
    } else {
        while (at < n && !memchr("\"\\<>()@,;:", s[at], 10)) at++;
        found->phrase = (uint32_t)start;
        found->phrase_n = (uint32_t)(at - start);
    }
    if (at < n && s[at] == '<') {
        end = sf_mail(s, n, at + 1);
        if (!end || end == n || s[end] != '>') return 0;
        found->mail = (uint32_t)at + 1;
        found->mail_n = (uint32_t)(end - at) - 1;
        return sf_over_spaces(s, n, end + 1) == n;
    }
    if (is_quoted) return 0;
    end = sf_mail(s, n, start);
    found->phrase_n = 0;
    found->mail = (uint32_t)start;
    found->mail_n = (uint32_t)(end - start);
    return end && sf_over_spaces(s, n, end) == n;
}

/* The next of the mailboxes at or behind *at, with places in s; 0: there are no more, -1: something odd is among them.
 * Several stand behind commas, without quoted strings, comments and groups. A bracket that a comma follows has white
 * space behind that, for SpamAssassin reads on over anything else. */
static inline int sf_next_mailbox(const uint8_t *s, size_t n, size_t *at, sf_mailbox *found) {
    if (*at > n) return 0;
    if (*at == 0) {
        if (sf_usual_mailbox(s, n, found)) {
            *at = n + 1;
            return 1;
        }
        if (n > 8000) return -1;
        for (size_t i = 0; i < n; i++)
            if (s[i] && memchr("\"()\\;:[]", s[i], 8)) return -1;
    }
    size_t start = *at;
    const uint8_t *mark = start < n ? memchr(s + start, ',', n - start) : NULL;
    size_t size = (mark ? (size_t)(mark - s) : n) - start;
    if (size > 300 || (start > 1 && s[start - 2] == '>' && (size == 0 || !sf_space(s[start])))) return -1;
    if (!sf_usual_mailbox(s + start, size, found)) return -1;
    found->phrase += (uint32_t)start;
    found->mail += (uint32_t)start;
    *at = mark ? start + size + 1 : n + 1;
    return 1;
}

/* A display name with white space squeezed and without single quotes around it, at most n bytes; -1 when it has bytes
 * outside ASCII, what may begin an encoded word, a bare CR, or nothing but white space. */
static inline ptrdiff_t sf_clean(const uint8_t *s, size_t n, uint8_t *out) {
    size_t end = 0;
    for (size_t at = 0; at < n; at++) {
        uint8_t c = s[at];
        if (c >= 0x80 || c == '\r' || (c == '?' && at && s[at - 1] == '=')) return -1;
        if (c == '\n') continue;
        if (!sf_space(c))
            out[end++] = c;
        else if (end && out[end - 1] != ' ')
            out[end++] = ' ';
    }
    if (end && out[end - 1] == ' ') end--;
    if (!end) return -1;
    if (end > 1 && out[0] == '\'' && out[end - 1] == '\'') {
        memmove(out, out + 1, end - 2);
        end -= 2;
    }
    return (ptrdiff_t)end;
}

/* The next line of a header section as "ALL:raw" has it, at or behind *at: it begins with no blank and goes on to a
 * line feed that no blank follows. Its end, 0 when there is none; *at is where it begins. */
static inline size_t sf_raw_line(const uint8_t *s, size_t n, size_t *at) {
    while (*at < n && sf_blank(s[*at])) {
        const uint8_t *mark = memchr(s + *at, '\n', n - *at);
        *at = mark ? (size_t)(mark - s) + 1 : n;
    }
    size_t from = *at + 1; /* an empty line begins a field too */
    while (from < n) {
        const uint8_t *mark = memchr(s + from, '\n', n - from);
        if (!mark) return 0;
        from = (size_t)(mark - s) + 1;
        if (from == n || !sf_blank(s[from])) return from;
    }
    return 0;
}

/* Lines of the longest run of lines that are nothing but white space and a line feed. */
static inline size_t sf_blank_lines(const uint8_t *s, size_t n) {
    size_t longest = 0, run = 0, at = 0;
    while (at < n) {
        const uint8_t *mark = memchr(s + at, '\n', n - at);
        if (!mark) break;
        size_t end = (size_t)(mark - s), p = at;
        while (p < end && sf_space(s[p])) p++;
        run = p == end ? run + 1 : 0;
        longest = run > longest ? run : longest;
        at = end + 1;
    }
    return longest;
}

#endif
