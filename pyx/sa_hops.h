/* One Received field to what it says, by the templates of core/rules/spamassassin/received_formats.py.
 *
 * The order in which things are tried is that of received_line.py, which reads the rare fields that are left to it
 * (SH_ASK). A field has at most SH_MAX bytes here.
 */
#ifndef SA_HOPS_H
#define SA_HOPS_H

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

static inline void sh_group(const sh_hop *h, int number, sh_span *into) {
    int32_t start = h->run.saved[2 * number], end = h->run.saved[2 * number + 1];
    if (start >= 0 && end >= start) *into = sh_span_of(h->run.s + start, (uint32_t)(end - start));
}

/* A comment that holds helo= and ident=. */
static void sh_inside(sh_hop *h) {
    sh_span more = {NULL, 0};
    sh_group(h, 5, &more);
    uint32_t n = more.n;
    if (n) memcpy(h->inside, more.s, n);
    for (uint32_t at = 0; at + 5 < n; at++)
        if (memcmp(h->inside + at, "helo=", 5) == 0 && !sh_space(h->inside[at + 5])) {
            uint32_t end = sh_word_end(h->inside, n, at + 5);
            h->helo = sh_span_of(more.s + at + 5, end - at - 5);
            memmove(h->inside + at, h->inside + end, n - end);
            n -= end - at;
            break;
        }
    const uint8_t *found = sh_find(h->inside, n, (const uint8_t *)"ident=", 6);
    if (found) {
        uint32_t at = (uint32_t)(found - h->inside) + 6;
        h->ident = sh_span_of(h->inside + at, sh_word_end(h->inside, n, at) - at);
    }
}

/* Take over what a template with these flags has found. Returns SH_READ, SH_SKIPPED or SH_ASK. */
static int sh_take(sh_hop *h, uint32_t flags) {
    if (flags & SH_S) return SH_SKIPPED;
    if (flags & SH_RARE) return SH_ASK;
    sh_group(h, 0, &h->ip);
    sh_group(h, 1, &h->by);
    sh_group(h, 2, &h->helo);
    sh_group(h, 3, &h->rdns);
    sh_group(h, 4, &h->ident);
    h->looked_up = (flags & SH_D) != 0;
    if (flags & SH_H) h->helo = h->rdns;
    if (flags & SH_Q) sh_inside(h);
    if (flags & SH_U && sh_is(h->rdns, "unknown")) h->rdns.n = 0;
    if (flags & SH_V && sh_is(h->rdns, "unverified")) h->rdns.n = 0;
    if (flags & SH_N) h->id.n = 0;
    const uint8_t *mark = flags & SH_I && h->rdns.n ? memchr(h->rdns.s, '@', h->rdns.n) : NULL;
    if (mark) {
        uint32_t skip = h->rdns.n >= 6 && memcmp(h->rdns.s, "IDENT:", 6) == 0 ? 6 : 0;
        const uint8_t *end = h->rdns.s + h->rdns.n;
        h->ident = sh_span_of(h->rdns.s + skip, (uint32_t)(mark - h->rdns.s) - skip);
        h->rdns = sh_span_of(mark + 1, (uint32_t)(end - mark) - 1);
    }
    if (flags & SH_SOFT && sh_is(h->rdns, "softdnserr")) {
        h->rdns.n = 0;
        h->looked_up = 0;
    }
    if (flags & SH_UP) h->looked_up = !sh_is(h->rdns, "UNKNOWN");
    return SH_READ;
}

/* Try the templates of a stage in order. Returns SH_UNREAD when none fits; *flags of the one that does. */
static int sh_try(sh_hop *h, int stage, uint32_t *flags) {
    const sh_table *t = h->table;
    for (uint32_t i = t->first[stage]; i < t->first[stage + 1]; i++) {
        const sh_form *f = &t->forms[i];
        if (sh_has(h, f->mark, f->mark_n) && sp_match(&h->run, f->pc, 0)) {
            *flags = f->flags;
            return SH_READ;
        }
    }
    return SH_UNREAD;
}

static int sh_stage(sh_hop *h, int stage) {
    uint32_t flags;
    return sh_try(h, stage, &flags) == SH_READ ? sh_take(h, flags) : SH_UNREAD;
}

/* Whether the one program of a stage matches where `word` stands. */
static int sh_behind(sh_hop *h, int stage, const char *word) {
    uint32_t size = (uint32_t)strlen(word);
    const uint8_t *p = h->run.s, *stop = p + h->run.n;
    if (!sh_may(h, (const uint8_t *)word, size)) return 0;
    for (; (p = sh_find(p, (uint32_t)(stop - p), (const uint8_t *)word, size)); p++)
        if (sp_match(&h->run, h->table->forms[h->table->first[stage]].pc, (uint32_t)(p - h->run.s))) return 1;
    return 0;
}

/* " with local" and what received_line.py says may follow, behind no letter. */
static inline int sh_is_local(const sh_hop *h) {
    const uint8_t *p = h->run.s, *start = p, *stop = p + h->run.n;
    for (; (p = sh_find(p, (uint32_t)(stop - p), (const uint8_t *)"with local", 10)); p++) {
        const uint8_t *q = p + 10;
        if (p > start && sp_word(p[-1])) continue;
        if (q < stop && *q == '-') {
            const uint8_t *end = q + 1;
            while (end < stop && !sh_space(*end)) end++;
            q = end > q + 1 ? end : q;
        }
        if (q < stop && *q == ' ') return 1;
    }
    return 0;
}

/* By the mark of a server, the first that is there. */
static int sh_by_server(sh_hop *h) {
    static const char *const marks[] = {" SMTPSVC", "[XMail ", "(ecelerity", "Exim", " (Postfix) with",
                                        "(Scalix SMTP Relay", " (Lotus Domino "};
    for (int server = 0; server < 7; server++) {
        if (sh_has(h, (const uint8_t *)marks[server], (uint32_t)strlen(marks[server]))) {
            if (server == SH_XMAIL) return SH_ASK;
            if (server != SH_EXIM) return sh_stage(h, SH_SMTPSVC + server);
            if (sh_is_local(h)) return SH_SKIPPED;
            int came = sh_stage(h, SH_EXIM);
            return came == SH_UNREAD ? SH_ASK : came;
        }
        if (server == SH_SMTPSVC && sh_behind(h, SH_IS_EXCHANGE, " with ")) return sh_stage(h, SH_EXCHANGE);
    }
    return SH_UNREAD;
}

/* The first word as the name, up to its last character that no host name has when nothing follows it. */
static void sh_guess(sh_hop *h) {
    const uint8_t *s = h->run.s;
    uint32_t end = sh_word_end(s, h->run.n, 0);
    if (end == h->run.n) {
        while (end && s[end - 1] != '_' && (sp_word(s[end - 1]) || s[end - 1] == '-' || s[end - 1] == '.')) end--;
        end -= end > 0;
    }
    if (end) h->helo = sh_span_of(s, end);
}

static int sh_qmail(sh_hop *h) {
    uint32_t flags;
    if (sh_try(h, SH_QMAIL, &flags) != SH_READ) return SH_UNREAD;
    sh_stage(h, SH_QMAIL_FORMS);
    h->looked_up = !sh_is(h->rdns, "unknown");
    if (!h->looked_up) h->rdns.n = 0;
    return SH_READ;
}

/* The text behind "from ", no server known by its mark. */
static int sh_by_form(sh_hop *h) {
    uint32_t flags;
    int came = SH_UNREAD;
    if (SH_HAS(h, "with HTTP")) came = sh_stage(h, SH_HTTP);
    if (came == SH_UNREAD) came = sh_stage(h, SH_SENDMAIL);
    if (came == SH_UNREAD) came = sh_stage(h, SH_GENERAL);
    if (came == SH_UNREAD) came = sh_qmail(h);
    if (came == SH_UNREAD) came = sh_stage(h, SH_BEFORE_FETCH);
    if (came == SH_UNREAD && (SH_HAS(h, "with POP3") || SH_HAS(h, "with IMAP"))) return SH_FETCHED;
    if (came == SH_UNREAD) came = sh_stage(h, SH_AFTER_FETCH);
    if (came != SH_UNREAD) return came;
    if (sh_try(h, SH_NOTHING, &flags) == SH_READ || sh_try(h, SH_NOTHING_LATER, &flags) == SH_READ) return SH_SKIPPED;
    if (!h->helo.n) sh_guess(h);
    return SH_UNREAD;
}

/* The first bracketed address. */
static inline void sh_bracketed(sh_hop *h) {
    const uint8_t *s = h->line;
    for (uint32_t at = 0; at < h->n; at++) {
        uint32_t ends[2];
        if (s[at] != '[') continue;
        int count = sp_ip(s, h->n, at + 1, ends);
        for (int i = 0; i < count; i++)
            if (ends[i] < h->n && s[ends[i]] == ']') {
                h->ip = sh_span_of(s + at + 1, ends[i] - at - 1);
                return;
            }
    }
}

/* Read a field of n bytes, decoded and unfolded. */
static int sh_read(sh_hop *h, const sh_table *table, const uint8_t *value, uint32_t n) {
    static const sh_span none = {(const uint8_t *)"", 0};
    h->ip = h->rdns = h->helo = h->by = h->ident = h->id = h->auth = h->sender = none;
    h->has_sender = h->looked_up = 0;
    h->from = 0;
    h->table = table;
    sh_squeeze(h, value, n < SH_MAX ? n : SH_MAX);
    const uint8_t *s = h->line;
    uint32_t open = h->n && s[0] == '(';
    if (!sh_at(s, h->n, open, "from ")) return SH_SKIPPED;
    if (sh_find(s, h->n, (const uint8_t *)" with local for ", 16) || sh_is_plain(s, h->n)) return SH_SKIPPED;
    if (open) return SH_ASK;
    h->n = sh_date(s, h->n);
    const uint8_t *close = sh_find(s, h->n, (const uint8_t *)")by ", 4);
    if (close) {
        memmove(h->line + (close - s) + 2, close + 1, h->n - (uint32_t)(close - s) - 1);
        h->line[close - s + 1] = ' ';
        h->n++;
    }
    memset(h->pairs, 0, sizeof h->pairs);
    for (uint32_t i = 1; i < h->n; i++) h->pairs[sh_pair(s[i - 1], s[i])] = 1;
    if (h->n < 5 || memcmp(s, "from ", 5) || sh_is_rare(h)) return SH_ASK;
    sh_common(h);
    sh_protocol(h);
    sh_sender(h, 5);
    h->run = (sp_run){.code = table->code, .classes = table->classes, .s = s + 5, .n = h->n - 5, .budget = SH_BUDGET};
    h->from = 5;
    int came = sh_by_server(h);
    if (came == SH_UNREAD) came = sh_by_form(h);
    if (came != SH_UNREAD) return came;
    if (!h->ip.n) sh_bracketed(h);
    return h->ip.n && h->by.n ? SH_READ : SH_UNREAD;
}

#endif
