/* One Received field as a line: squeezed, without its date, and what stands in fields of any server.
 *
 * Templates and the order in which they are tried are sa_hops.h.
 */
#ifndef SA_HOP_LINE_H
#define SA_HOP_LINE_H

#include "sa_pattern.h"

enum {
    SH_SMTPSVC, SH_XMAIL, SH_ECELERITY, SH_EXIM, SH_POSTFIX, SH_SCALIX, SH_LOTUS, SH_IS_EXCHANGE, SH_EXCHANGE, SH_HTTP,
    SH_SENDMAIL, SH_GENERAL, SH_QMAIL, SH_QMAIL_FORMS, SH_BEFORE_FETCH, SH_AFTER_FETCH, SH_NOTHING, SH_NOTHING_LATER,
    SH_STAGES,
    SH_READ = 0, SH_UNREAD, SH_SKIPPED, SH_FETCHED, SH_ASK, /* what came of it */
    SH_D = 1, SH_H = 2, SH_S = 4, SH_Q = 8, SH_U = 16, SH_V = 32, SH_N = 64, SH_I = 128, SH_SOFT = 256, SH_UP = 512,
    SH_RARE = 1024, /* flags of templates */
    SH_MAX = 1000, SH_BUDGET = 300000
};

typedef struct {
    const uint8_t *mark;
    uint32_t mark_n, pc, flags;
} sh_form;

typedef struct {
    const uint16_t *code;
    const sp_class *classes;
    const sh_form *forms;
    uint32_t first[SH_STAGES + 1]; /* number of the first form of each stage */
} sh_table;

typedef struct {
    const uint8_t *s;
    uint32_t n;
} sh_span;

typedef struct {
    sh_span ip, rdns, helo, by, ident, id, auth, sender;
    int has_sender, looked_up;
    uint8_t line[SH_MAX + 8], inside[SH_MAX + 8];
    uint32_t n, from; /* where words are looked for: 5 once only what stands behind "from " counts */
    uint8_t pairs[4096]; /* which two bytes stand side by side, by a hash */
    sp_run run;
    const sh_table *table;
} sh_hop;

static inline uint32_t sh_pair(uint8_t a, uint8_t b) {
    return ((uint32_t)a << 5 ^ b) & 4095;
}

static inline const uint8_t *sh_find(const uint8_t *s, uint32_t n, const uint8_t *word, uint32_t size) {
    if (size > n) return NULL;
    const uint8_t *last = s + n - size;
    for (const uint8_t *p = s; p <= last; p++) {
        p = memchr(p, word[0], (size_t)(last - p) + 1);
        if (!p) return NULL;
        if (memcmp(p, word, size) == 0) return p;
    }
    return NULL;
}

/* Whether the words may stand in the line: all of their pairs do. */
static inline int sh_may(const sh_hop *h, const uint8_t *word, uint32_t size) {
    for (uint32_t i = 1; i < size; i++)
        if (!h->pairs[sh_pair(word[i - 1], word[i])]) return 0;
    return 1;
}

static inline int sh_has(const sh_hop *h, const uint8_t *word, uint32_t size) {
    return size == 0 || (sh_may(h, word, size) && sh_find(h->line + h->from, h->n - h->from, word, size));
}

#define SH_HAS(h, text) sh_has(h, (const uint8_t *)(text), sizeof(text) - 1)

static inline int sh_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline uint8_t sh_lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

/* Whether `word`, in lower case, stands at `at` in any case. */
static inline int sh_at(const uint8_t *s, uint32_t n, uint32_t at, const char *word) {
    uint32_t size = (uint32_t)strlen(word);
    if (at > n || n - at < size) return 0;
    for (uint32_t i = 0; i < size; i++)
        if (sh_lower(s[at + i]) != (uint8_t)word[i]) return 0;
    return 1;
}

static inline uint32_t sh_word_end(const uint8_t *s, uint32_t n, uint32_t at) {
    while (at < n && !sh_space(s[at])) at++;
    return at;
}

static inline sh_span sh_span_of(const uint8_t *s, uint32_t n) {
    return (sh_span){s, n};
}

static inline int sh_is(sh_span span, const char *word) {
    return span.n == strlen(word) && memcmp(span.s, word, span.n) == 0;
}

/* The line with white space squeezed and without semicolons at its end. */
static inline void sh_squeeze(sh_hop *h, const uint8_t *s, uint32_t n) {
    uint32_t end = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!sh_space(s[i]))
            h->line[end++] = s[i];
        else if (end && h->line[end - 1] != ' ')
            h->line[end++] = ' ';
    }
    if (end && h->line[end - 1] == ' ') end--;
    while (end && h->line[end - 1] == ';') {
        end--;
        if (end && h->line[end - 1] == ' ') end--;
    }
    h->n = end;
}

static inline uint32_t sh_digits_back(const uint8_t *s, uint32_t at) {
    while (at && sp_digit(s[at - 1])) at--;
    return at;
}

/* Where a date at the end of the line begins, with the spaces and semicolons before it; the line's size without one. */
static uint32_t sh_date(const uint8_t *s, uint32_t n) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec", days[] = "MonTueWedThuFriSatSun";
    uint32_t at = n, end;
    while (at && s[at - 1] != ' ') at--; /* the zone */
    if (at == n || at < 2) return n;
    end = --at;
    for (int part = 0; part < 3; part++) { /* seconds or minutes, minutes or hours, hours */
        at = sh_digits_back(s, end);
        if (at == end || !at) return n;
        if (s[at - 1] == ' ') {
            if (!part) return n;
            break;
        }
        if (s[at - 1] != ':' || part == 2) return n;
        end = at - 1;
    }
    end = at - 1; /* behind the year */
    at = sh_digits_back(s, end);
    if (at == end || at < 6 || s[at - 1] != ' ' || s[at - 5] != ' ') return n;
    for (int month = 0; memcmp(months + 3 * month, s + at - 4, 3) != 0;)
        if (++month == 12) return n;
    end = at - 5; /* behind the day */
    at = sh_digits_back(s, end);
    if (at == end || !at || (s[at - 1] != ' ' && s[at - 1] != ';')) return n;
    if (at >= 6 && s[at - 1] == ' ' && s[at - 2] == ',' && (s[at - 6] == ' ' || s[at - 6] == ';'))
        for (int day = 0; day < 7; day++)
            if (memcmp(days + 3 * day, s + at - 5, 3) == 0) {
                at -= 5;
                break;
            }
    while (at && (s[at - 1] == ' ' || s[at - 1] == ';')) at--;
    return at;
}

/* Whether the field is "from NAME by NAME ;", which tells of no address; a bare address as the name does. */
static inline int sh_is_plain(const uint8_t *s, uint32_t n) {
    if (!sh_at(s, n, 0, "from ")) return 0;
    uint32_t end = sh_word_end(s, n, 5), at = end;
    if (end == 5 || !sh_at(s, n, end, " by ")) return 0;
    at += 4;
    uint32_t start = at;
    while (at < n && !sh_space(s[at]) && s[at] != ';') at++;
    if (at == start) return 0;
    at += at < n && s[at] == ' ';
    if (at >= n || s[at] != ';') return 0;
    if (end - 5 < 3 || s[5] != '[' || s[end - 1] != ']') return 1;
    for (uint32_t i = 6; i + 1 < end; i++)
        if (!sp_digit(s[i]) && s[i] != '.') return 1;
    return 0;
}

static inline int sh_in_helo(uint8_t c) {
    return sp_word(c) || (c && memchr("-.^+&:=?!@%*$\\/", c, 15));
}

/* " id X", "helo=X" or "HELO X", " by X" wherever they stand first. */
static void sh_common(sh_hop *h) {
    const uint8_t *s = h->line, *p = s, *stop = s + h->n;
    while ((p = sh_find(p, (uint32_t)(stop - p), (const uint8_t *)" id ", 4))) {
        const uint8_t *q = p + 4;
        q += q < stop && *q == '<';
        p = q;
        while (q < stop && !sh_space(*q) && *q != '<' && *q != '>' && *q != ';') q++;
        if (q - p >= 3) {
            h->id = sh_span_of(p, (uint32_t)(q - p));
            break;
        }
        p = p - 1; /* the space behind "id" may begin another */
    }
    if (SH_HAS(h, "helo=") || SH_HAS(h, "HELO ") || SH_HAS(h, "EHLO "))
        for (uint32_t at = 0; at + 5 < h->n; at++) {
            const uint8_t *w = s + at;
            if ((w[0] != 'h' && w[0] != 'H' && w[0] != 'E') || (at && sp_word(s[at - 1]))) continue;
            if (memcmp(w, "helo=", 5) && memcmp(w, "HELO ", 5) && memcmp(w, "EHLO ", 5)) continue;
            uint32_t end = at + 5;
            while (end < h->n && sh_in_helo(s[end])) end++;
            if (end > at + 5) {
                h->helo = sh_span_of(w + 5, end - at - 5);
                break;
            }
        }
    for (p = s; (p = sh_find(p, (uint32_t)(stop - p), (const uint8_t *)" by ", 4)); p += 3) {
        uint32_t start = (uint32_t)(p - s) + 4, end = sh_word_end(s, h->n, start);
        if (end > start) {
            h->by = sh_span_of(s + start, end - start);
            break;
        }
    }
}

/* What follows " with " when it names a protocol that authenticates. */
static void sh_protocol(sh_hop *h) {
    static const char *const names[] = {"esmtpsa", "esmtpa", "lmtpsa", "lmtpa", "utf8smtpsa", "utf8smtpa", "utf8lmtpsa",
                                        "utf8lmtpa", "asmtp", "https", "httpu", "http"};
    if (!SH_HAS(h, " by ")) return;
    int is_lower = !h->pairs[sh_pair(' ', 'W')];
    for (uint32_t at = 0; at + 6 < h->n; at++) {
        if (is_lower) {
            const uint8_t *p = sh_find(h->line + at, h->n - at, (const uint8_t *)" with ", 6);
            if (!p || (at = (uint32_t)(p - h->line)) + 6 >= h->n) return;
        } else if (h->line[at] != ' ' || !sh_at(h->line, h->n, at, " with ")) {
            continue;
        }
        const uint8_t *name = h->line + at + 6;
        uint8_t first = sh_lower(*name);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            uint32_t end = at + 6 + (uint32_t)strlen(names[i]);
            if (first != (uint8_t)names[i][0] || !sh_at(h->line, h->n, at + 6, names[i])) continue;
            if (end == h->n || h->line[end] == ' ' || h->line[end] == ';') {
                h->auth = sh_span_of(name, end - at - 6);
                return;
            }
        }
    }
}

/* Whether this may be what Google writes of a client that authenticated: "sm" and a digit in the identifier. */
static inline int sh_is_google(const sh_hop *h) {
    static const uint8_t words[] = "by mx.google.com with ESMTPS id ";
    const uint8_t *p = h->line, *stop = p + h->n;
    if (!sh_may(h, words, 32) || !SH_HAS(h, "cipher=")) return 0;
    for (; (p = sh_find(p, (uint32_t)(stop - p), words, 32)); p++)
        for (const uint8_t *q = p + 33; q < p + 37 && stop - q > 2; q++)
            if (q[0] == 's' && q[1] == 'm' && sp_digit(q[2])) return 1;
    return 0;
}

/* Whether anything in the line is left to received_line.py. */
static inline int sh_is_rare(const sh_hop *h) {
    return SH_HAS(h, "uthenticated") || SH_HAS(h, "(AUTH: ") || SH_HAS(h, "mail.gmx.") || SH_HAS(h, " (account ")
        || SH_HAS(h, " HTTP-DAV") || SH_HAS(h, " (via ") || SH_HAS(h, "(WebMailUI)") || SH_HAS(h, " (qmail-")
        || SH_HAS(h, "qmail-scanner") || sh_is_google(h);
}

/* The envelope sender that a comment tells of: "return-path" or "envelope-from", up to the last edge of a word. */
static void sh_sender(sh_hop *h, uint32_t from) {
    const uint8_t *s = h->line;
    int is_there = SH_HAS(h, "nvelope-");
    for (const uint8_t *p = s + from + 5; !is_there && p < s + h->n; p++) {
        p = memchr(p, '-', (size_t)(s + h->n - p));
        if (!p) break;
        is_there = sh_at(s, h->n, (uint32_t)(p - s) - 5, "eturn-");
    }
    for (uint32_t at = from; is_there && at + 8 < h->n; at++) {
        uint8_t c = sh_lower(s[at]);
        uint32_t p;
        if (c == 'r' && sh_at(s, h->n, at, "return-path")) {
            p = at + 11;
            p += p < h->n && s[p] == ':';
            if (p >= h->n || s[p] != ' ') continue;
            p++;
        } else if (c == 'e' && sh_at(s, h->n, at, "envelope-")) {
            p = at + 9;
            p += sh_at(s, h->n, p, "sender") ? 6 : sh_at(s, h->n, p, "from") ? 4 : h->n;
            if (p >= h->n || (s[p] != ' ' && s[p] != '=')) continue;
            p++;
        } else {
            continue;
        }
        uint32_t end = sh_word_end(s, h->n, p);
        while (end > p && !sp_edge(s, h->n, end)) end--;
        if (end > p) {
            h->sender = sh_span_of(s + p, end - p);
            h->has_sender = 1;
            return;
        }
    }
}

#endif
