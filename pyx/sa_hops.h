/* One Received field to what it says, by the templates of core/rules/spamassassin/received_formats.py.
 *
 * The order in which things are tried is that of received_line.py, which reads the rare fields that are left to it
 * (SH_ASK). A field has at most SH_MAX bytes here.
 */
#ifndef SA_HOPS_H
#define SA_HOPS_H

#include "sa_hop_line.h"

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
