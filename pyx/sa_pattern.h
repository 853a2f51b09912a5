/* Small patterns over one line: literals, sets of bytes with a count, optional groups and alternatives, an IP address.
 *
 * A program is made by core/rules/spamassassin/template.py. It has no loops but those of sets, so the stack of what is
 * still to be tried never holds more than one entry an instruction; a budget bounds the time. The rules are those of
 * Perl: alternatives from the left, greedy sets from their end, lazy ones from their start.
 */
#ifndef SA_PATTERN_H
#define SA_PATTERN_H

#include <stdint.h>
#include <string.h>

enum {
    SP_END, SP_TEXT, SP_SET, SP_FORK, SP_GO, SP_SAVE, SP_EDGE, SP_LAST, SP_NOT, SP_IP,
    SP_GREEDY = 0, SP_LAZY, SP_WHOLE, /* ways of a set; whole: greedy, and giving back is of no use */
    SP_SLOTS = 12, SP_STACK = 128
};

typedef uint8_t sp_class[256];

typedef struct {
    const uint16_t *code;
    const sp_class *classes;
    const uint8_t *s; /* the line */
    uint32_t n;
    uint32_t budget; /* steps that may still be made */
    int32_t saved[SP_SLOTS]; /* start and end of each group, -1 when it took no part */
} sp_run;

typedef struct {
    uint32_t pc, pos, limit;
    int32_t old;
    uint8_t kind, set;
} sp_frame;

enum { SP_F_FORK, SP_F_GREEDY, SP_F_LAZY, SP_F_SAVE };

static inline int sp_word(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static inline int sp_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static inline int sp_hex(uint8_t c) {
    return sp_digit(c) || (c >= 'a' && c <= 'f');
}

static inline int sp_edge(const uint8_t *s, uint32_t n, uint32_t at) {
    return (at > 0 && sp_word(s[at - 1])) != (at < n && sp_word(s[at]));
}

/* End of four decimal octets at `at`, 0: there are none. Octets are below 256 and have no zeros in front. */
static inline uint32_t sp_octets(const uint8_t *s, uint32_t n, uint32_t at) {
    for (int octet = 0; octet < 4; octet++) {
        uint32_t start = at, value = 0;
        if (octet) {
            if (at >= n || s[at] != '.') return 0;
            start = ++at;
        }
        while (at < n && at - start < 3 && sp_digit(s[at])) value = value * 10 + s[at++] - '0';
        if (at == start || value > 255 || (s[start] == '0' && at - start > 1)) return 0;
    }
    return at;
}

/* Groups of hexadecimal digits, each with its colon, from *at on; how many, at most `most`. */
static inline int sp_groups(const uint8_t *s, uint32_t n, uint32_t *at, int most) {
    int count = 0;
    while (count < most) {
        uint32_t p = *at;
        while (p < n && p - *at < 4 && sp_hex(s[p])) p++;
        if (p == *at || p >= n || s[p] != ':') break;
        *at = p + 1;
        count++;
    }
    return count;
}

/* Where an IPv6 address at `at` may end, the end behind IPv4 octets first; how many places. */
static inline int sp_v6(const uint8_t *s, uint32_t n, uint32_t at, uint32_t ends[2]) {
    uint32_t p = at, q, end;
    int found = 0, is_short = 0, before, behind = 0;
    before = sp_groups(s, n, &p, 8);
    if (before == 0 && p + 1 < n && s[p] == ':' && s[p + 1] == ':') {
        is_short = 1;
        p += 2;
    } else if (before && p < n && s[p] == ':') {
        is_short = 1;
        p++;
    } else if (!before) {
        return 0;
    }
    if (is_short) behind = sp_groups(s, n, &p, 8);
    q = sp_octets(s, n, p);
    if (q && (q >= n || (!sp_hex(s[q]) && s[q] != ':'))) {
        int fits = !is_short ? before == 6 : !before ? behind <= 5 : behind ? before + behind <= 5 : before <= 5;
        if (fits) ends[found++] = q;
    }
    end = p;
    while (end < n && end - p < 4 && sp_hex(s[end])) end++;
    if (end < n && (sp_hex(s[end]) || s[end] == ':')) return found;
    int total = behind + (end > p);
    if (end == p && behind) return found; /* a colon at the end */
    if (!is_short ? before == 7 && total == 1 : !before ? total <= 7 : total ? before + total <= 7 : before <= 7)
        ends[found++] = end;
    return found;
}

/* Where an address at `at` may end; how many places, 2 at most. */
static inline int sp_ip(const uint8_t *s, uint32_t n, uint32_t at, uint32_t ends[2]) {
    uint8_t before = at ? s[at - 1] : ' ';
    if (at >= n) return 0;
    if (n - at > 5 && memcmp(s + at, "IPv6:", 5) == 0) return sp_v6(s, n, at + 5, ends);
    if (sp_digit(s[at]) && !sp_word(before) && before != ':') {
        uint32_t end = sp_octets(s, n, at);
        if (end && !(end < n && sp_word(s[end]))) {
            ends[0] = end;
            return 1;
        }
    }
    if ((!sp_hex(s[at]) && s[at] != ':') || sp_hex(before) || before == ':') return 0;
    return sp_v6(s, n, at, ends);
}

/* The next position in reach of a set from which the instruction behind it may go on; -1: none. */
static inline int64_t sp_resume(sp_run *run, const sp_frame *f, int way) {
    const uint16_t *code = run->code;
    uint32_t pc = f->pc, pos = f->pos, start = pos;
    while (code[pc] == SP_SAVE) pc += 2;
    int want = code[pc] == SP_TEXT ? code[pc + 2] : -1;
    int64_t found = -1;
    if (way == SP_F_GREEDY) {
        while (pos > f->limit) {
            pos--;
            if (want < 0 || (pos < run->n && run->s[pos] == want)) {
                found = pos;
                break;
            }
        }
    } else {
        const uint8_t *set = run->classes[f->set];
        while (pos < f->limit && set[run->s[pos]]) {
            pos++;
            if (want < 0 || (pos < run->n && run->s[pos] == want)) {
                found = pos;
                break;
            }
        }
    }
    uint32_t cost = 1 + (pos > start ? pos - start : start - pos) / 8;
    run->budget -= run->budget < cost ? run->budget : cost;
    return found;
}

/* Whether the program at `pc` matches from `at` on; fills run->saved. A spent budget is no match. */
static int sp_match(sp_run *run, uint32_t pc, uint32_t at) {
    sp_frame stack[SP_STACK];
    uint32_t depth = 0, pos = at;
    const uint16_t *code = run->code;
    const uint8_t *s = run->s;
    const uint32_t n = run->n;
    for (int i = 0; i < SP_SLOTS; i++) run->saved[i] = -1;
    for (;;) {
        int ok = 1;
        if (!run->budget) return 0;
        run->budget--;
        switch (code[pc]) {
        case SP_END:
            return 1;
        case SP_TEXT: {
            uint32_t size = code[pc + 1], i = 0;
            ok = n - pos >= size;
            while (ok && i < size) {
                ok = s[pos + i] == code[pc + 2 + i];
                i++;
            }
            pos += ok ? size : 0;
            pc += 2 + size;
            break;
        }
        case SP_SET: {
            const uint8_t *set = run->classes[code[pc + 1]];
            uint32_t least = code[pc + 2], most = code[pc + 3], way = code[pc + 4], end = pos;
            uint32_t limit = n - pos > most ? pos + most : n, stop = way == SP_LAZY ? pos + least : limit;
            if (stop > limit) stop = limit;
            while (end < stop && set[s[end]]) end++;
            ok = end - pos >= least;
            pc += 5;
            if (ok && way != SP_WHOLE && (way == SP_LAZY ? end < limit : end > pos + least)) {
                if (depth == SP_STACK) return 0;
                stack[depth++] = (sp_frame){pc, end, way == SP_LAZY ? limit : pos + least, 0,
                                            way == SP_LAZY ? SP_F_LAZY : SP_F_GREEDY, (uint8_t)code[pc - 4]};
            }
            pos = end;
            break;
        }
        case SP_FORK:
            if (depth == SP_STACK) return 0;
            stack[depth++] = (sp_frame){code[pc + 2], pos, 0, 0, SP_F_FORK, 0};
            pc = code[pc + 1];
            break;
        case SP_GO:
            pc = code[pc + 1];
            break;
        case SP_SAVE:
            if (depth == SP_STACK) return 0;
            stack[depth++] = (sp_frame){code[pc + 1], 0, 0, run->saved[code[pc + 1]], SP_F_SAVE, 0};
            run->saved[code[pc + 1]] = (int32_t)pos;
            pc += 2;
            break;
        case SP_EDGE:
            ok = sp_edge(s, n, pos);
            pc++;
            break;
        case SP_LAST:
            ok = pos == n;
            pc++;
            break;
        case SP_NOT: {
            uint32_t size = code[pc + 1], i = 0;
            int same = n - pos >= size;
            while (same && i < size) {
                same = s[pos + i] == code[pc + 2 + i];
                i++;
            }
            ok = !same;
            pc += 2 + size;
            break;
        }
        default: { /* SP_IP */
            uint32_t ends[2];
            int count = sp_ip(s, n, pos, ends);
            ok = count > 0;
            pc++;
            if (count == 2) {
                if (depth == SP_STACK) return 0;
                stack[depth++] = (sp_frame){pc, ends[1], 0, 0, SP_F_FORK, 0};
            }
            pos = ok ? ends[0] : pos;
        }
        }
        while (!ok) {
            if (!depth) return 0;
            sp_frame *f = &stack[depth - 1];
            if (f->kind == SP_F_SAVE) {
                run->saved[f->pc] = f->old;
                depth--;
            } else if (f->kind == SP_F_FORK) {
                pc = f->pc;
                pos = f->pos;
                depth--;
                ok = 1;
            } else {
                int64_t next = sp_resume(run, f, f->kind);
                if (next < 0) {
                    depth--;
                } else {
                    f->pos = pos = (uint32_t)next;
                    pc = f->pc;
                    ok = 1;
                }
            }
        }
    }
}

#endif
