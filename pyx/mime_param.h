/* Parameters of a structured MIME field (RFC 2045 5.1, RFC 2231), and every boundary that some client would read
 * out of a damaged one. Values are raw: still folded. Not here: file names and charsets (mime_text.pyx). */
#ifndef MXWARD_MIME_PARAM_H
#define MXWARD_MIME_PARAM_H

#include "mime_scan.h"
#include "mime_table.h"
#include "textcodes.h"

typedef struct {
    size_t name, name_end; /* without RFC 2231 marks */
    size_t value, value_end;
    int section;  /* RFC 2231 number, -1 without */
    int extended; /* trailing star: charset'language'percent-encoded */
    int quoted;
    int odd; /* syntax that clients read in different ways */
} Param;

/* Skips white space and comments (nested, with quoted pairs). Sets *odd when a comment was there. */
static size_t skip_cfws(const uint8_t* s, size_t p, size_t end, int* odd)
{
    int depth = 0;
    while (p < end) {
        if (depth && s[p] == '\\') p++;
        else if (s[p] == '(') {
            depth++;
            *odd = 1;
        } else if (depth && s[p] == ')') depth--;
        else if (!depth && !is_space(s[p])) break;
        p++;
    }
    return p < end ? p : end;
}

/* Splits "name*2*" into name, section and extended. */
static void param_marks(const uint8_t* s, Param* a)
{
    size_t e = a->name_end, q;
    a->section = -1;
    a->extended = 0;
    if (e > a->name && s[e - 1] == '*') {
        a->extended = 1;
        e--;
    }
    q = e;
    while (q > a->name && s[q - 1] >= '0' && s[q - 1] <= '9') q--;
    if (q < e && q > a->name + 1 && s[q - 1] == '*' && e - q <= 4) {
        size_t i;
        a->section = 0;
        for (i = q; i < e; i++) a->section = a->section * 10 + (s[i] - '0');
        e = q - 1;
    }
    if (a->extended || a->section >= 0) a->name_end = e;
}

/* Value at p (behind '='). Returns the position of the ';' that ends it, or end. */
static size_t param_value(const uint8_t* s, size_t p, size_t end, Param* a)
{
    if (p < end && s[p] == '"') {
        a->quoted = 1;
        a->value = ++p;
        while (p < end && s[p] != '"') p += s[p] == '\\' && p + 1 < end ? 2 : 1;
        a->value_end = p;
        if (p >= end) a->odd = 1;
        else p++;
        p = skip_cfws(s, p, end, &a->odd);
        if (p < end && s[p] != ';') a->odd = 1;
        while (p < end && s[p] != ';') p++;
        return p;
    }
    a->value = p;
    while (p < end && s[p] != ';') {
        if (is_space(s[p])) { /* white space inside a value is odd, before ';' or the end it is none */
            while (p < end && is_space(s[p])) p++;
            if (p < end && s[p] != ';') a->odd = 1;
            continue;
        }
        if (s[p] == '(' || s[p] == '"' || s[p] == '\\' || s[p] == ',') a->odd = 1;
        p++;
    }
    a->value_end = p;
    while (a->value_end > a->value && is_space(s[a->value_end - 1])) a->value_end--;
    return p;
}

/* Next parameter at or behind *at. Returns 0 at the end. */
static int param_next(const uint8_t* s, size_t* at, size_t end, Param* a)
{
    size_t p = *at;
    memset(a, 0, sizeof *a);
    for (;;) {
        p = skip_cfws(s, p, end, &a->odd);
        if (p >= end) return 0;
        if (s[p] != ';') break;
        p++;
    }
    a->name = p;
    while (p < end && s[p] != '=' && s[p] != ';' && s[p] != '(' && !is_space(s[p])) p++;
    a->name_end = p;
    if (p < end && s[p] != '=' && s[p] != ';') {
        if (is_space(s[p])) a->odd = 1;
        p = skip_cfws(s, p, end, &a->odd);
    }
    a->value = a->value_end = p;
    if (p < end && s[p] == '=') {
        size_t q = skip_cfws(s, p + 1, end, &a->odd);
        if (q != p + 1) a->odd = 1;
        p = param_value(s, q, end, a);
    } else {
        a->odd = 1;
        while (p < end && s[p] != ';') p++;
    }
    param_marks(s, a);
    *at = p;
    return 1;
}

typedef struct { /* a byte string under construction, cut at its capacity */
    uint8_t bytes[MIME_MAX_BOUNDARY];
    size_t n;
} Word;

static inline void word_add(Word* w, uint8_t c)
{
    if (w->n < sizeof w->bytes) w->bytes[w->n++] = c;
}

/* Appends a value: folds removed, quoted pairs resolved, percent codes decoded when `percent`. */
static void word_value(Word* w, const uint8_t* s, size_t p, size_t end, int quoted, int percent)
{
    while (p < end) {
        uint8_t c = s[p++];
        if (c == '\n' || (c == '\r' && p < end && s[p] == '\n')) continue;
        if (quoted && c == '\\' && p < end) c = s[p++];
        if (percent && c == '%' && end - p >= 2 && hex_value(s[p]) >= 0 && hex_value(s[p + 1]) >= 0) {
            c = (uint8_t)(hex_value(s[p]) << 4 | hex_value(s[p + 1]));
            p += 2;
        }
        word_add(w, c);
    }
}

/* Behind "charset'language'", or p when there is no such prefix. */
static size_t skip_charset(const uint8_t* s, size_t p, size_t end)
{
    const uint8_t *a = p < end ? memchr(s + p, '\'', end - p) : NULL, *b;
    if (a == NULL) return p;
    b = memchr(a + 1, '\'', end - (size_t)(a + 1 - s));
    return b ? (size_t)(b - s) + 1 : p;
}

static void word_param(Word* w, const uint8_t* s, const Param* a)
{
    size_t from = a->value;
    if (a->extended && a->section <= 0) from = skip_charset(s, from, a->value_end);
    word_value(w, s, from, a->value_end, a->quoted, a->extended);
}

static void word_trim(Word* w)
{
    while (w->n && is_space(w->bytes[w->n - 1])) w->n--;
}

enum { MAX_CANDIDATES = 32 };

typedef struct { /* distinct boundaries read out of a value, most plausible first */
    Word* list; /* MAX_CANDIDATES of them */
    int n;
} Candidates;

static void candidate(Candidates* c, const Word* w)
{
    int i;
    Word x = *w;
    word_trim(&x);
    if (x.n == 0) return;
    for (i = 0; i < c->n; i++)
        if (c->list[i].n == x.n && memcmp(c->list[i].bytes, x.bytes, x.n) == 0) return;
    if (c->n < MAX_CANDIDATES) c->list[c->n++] = x;
}

/* s[p, end) up to the first byte of `stops`, without the bytes of `drop`. */
static void candidate_cut(Candidates* c, const uint8_t* s, size_t p, size_t end, const char* stops, const char* drop)
{
    Word w;
    w.n = 0;
    for (; p < end && w.n < sizeof w.bytes && !(s[p] && strchr(stops, s[p])); p++)
        if (!(s[p] && strchr(drop, s[p]))) word_add(&w, s[p]);
    candidate(c, &w);
}

/* Comments removed, up to ';'. */
static void candidate_no_comment(Candidates* c, const uint8_t* s, size_t p, size_t end)
{
    Word w;
    int depth = 0;
    w.n = 0;
    for (; p < end && (depth || s[p] != ';'); p++) {
        if (s[p] == '(') depth++;
        else if (s[p] == ')' && depth) depth--;
        else if (!depth && s[p] != '\r' && s[p] != '\n') word_add(&w, s[p]);
    }
    candidate(c, &w);
}

static void candidate_percent(Candidates* c, const uint8_t* s, size_t p, size_t end)
{
    Word w;
    size_t q = p, from;
    w.n = 0;
    while (q < end && s[q] != ';' && s[q] != '\n') q++;
    from = skip_charset(s, p, q);
    word_value(&w, s, from, q, 0, 1);
    candidate(c, &w);
}

/* Text of an RFC 2047 Q word: =?charset?Q?text?= */
static void candidate_encoded_word(Candidates* c, const uint8_t* s, size_t p, size_t end)
{
    Word w;
    int marks = 0;
    size_t q = find_word(s, p, end, "=?");
    w.n = 0;
    for (; q < end; q++) {
        if (s[q] == '?' && ++marks == 3) break;
    }
    for (q++; q < end && s[q] != '?'; q++) {
        if (s[q] == '=' && end - q > 2 && hex_value(s[q + 1]) >= 0 && hex_value(s[q + 2]) >= 0) {
            word_add(&w, (uint8_t)(hex_value(s[q + 1]) << 4 | hex_value(s[q + 2])));
            q += 2;
        } else {
            word_add(&w, s[q]);
        }
    }
    candidate(c, &w);
}

/* All ways to end a value that starts at p. */
static void candidates_at(Candidates* c, const uint8_t* s, size_t p, size_t end)
{
    size_t q;
    while (p < end && is_space(s[p])) p++;
    if (p == end) return;
    if (s[p] == '"' || s[p] == '\'') {
        char stop[2] = {(char)s[p], 0};
        candidate_cut(c, s, p + 1, end, stop, "\r\n");
        candidate_cut(c, s, p + 1, end, "\r\n", stop);
        candidate_cut(c, s, p + 1, end, "; \t\r\n", stop);
    }
    candidate_cut(c, s, p, end, ";", "\r\n");
    candidate_cut(c, s, p, end, "; \t\r\n", "");
    candidate_cut(c, s, p, end, "; \t\r\n\"", "");
    candidate_cut(c, s, p, end, "; \t\r\n\\", "");
    candidate_cut(c, s, p, end, ";\r\n", "\"");
    candidate_cut(c, s, p, end, ";\r\n", "\\");
    candidate_cut(c, s, p, end, ";\r\n", "\\\"");
    candidate_cut(c, s, p, end, "\"(;,\r\n", "\\");
    candidate_cut(c, s, p, end, ",\r\n", "");
    candidate_cut(c, s, p, end, "\r\n", "");
    candidate_no_comment(c, s, p, end);
    candidate_percent(c, s, p, end);
    candidate_encoded_word(c, s, p, end);
    for (q = p; q < end && s[q] != '"'; q++) {}
    if (q + 1 < end) candidate_cut(c, s, q + 1, end, "\"\\;\r\n", "");
}

/* "name" at p, then optional marks, blanks and comments, then '='. Position behind it, or 0. */
static size_t loose_equals(const uint8_t* s, size_t p, size_t end)
{
    int odd = 0;
    while (p < end && (s[p] == '*' || (s[p] >= '0' && s[p] <= '9'))) p++;
    p = skip_cfws(s, p, end, &odd);
    return p < end && s[p] == '=' ? p + 1 : 0;
}

enum { MAX_SECTIONS = 16 };

/* RFC 2231 sections put together in order of number and in order of appearance, first or last duplicate winning. */
static void candidates_sections(Candidates* c, const uint8_t* s, size_t p, size_t end, const char* name)
{
    Param list[MAX_SECTIONS], a;
    int n = 0, i, k, way, number;
    size_t w = strlen(name);
    Word word;
    while (n < MAX_SECTIONS && param_next(s, &p, end, &a))
        if (a.section >= 0 && a.name_end - a.name == w && same_word(s + a.name, name, w)) list[n++] = a;
    for (way = 0; way < 2 && n; way++) {
        word.n = 0;
        for (number = 0; number < MAX_SECTIONS; number++) {
            for (i = -1, k = 0; k < n; k++)
                if (list[k].section == number && (i < 0 || way)) i = k;
            if (i >= 0) word_param(&word, s, &list[i]);
        }
        candidate(c, &word);
    }
    for (way = 0; way < 4 && n; way++) {
        word.n = 0;
        for (k = 0; k < n; k++) {
            Param* x = &list[way & 1 ? n - 1 - k : k];
            size_t from = skip_charset(s, x->value, x->value_end);
            word_value(&word, s, from, x->value_end, x->quoted, way < 2);
        }
        candidate(c, &word);
    }
}

enum { VALUE_WINDOW = 2048 }; /* of a damaged value, so that a hostile header costs a bounded amount */

/* Everything some client would take for the value of the parameter `name` (lower case) in s[p, end). */
static void loose_candidates(Candidates* c, const uint8_t* s, size_t p, size_t end, const char* name)
{
    size_t q = p;
    int hits = 0;
    if (end - p > VALUE_WINDOW) end = p + VALUE_WINDOW;
    candidates_sections(c, s, p, end, name);
    for (; hits < 8 && (q = find_word(s, q, end, name)) < end; hits++) {
        size_t v;
        q += strlen(name);
        v = loose_equals(s, q, end);
        if (v == 0) /* a comment inside the name */
            for (v = q; v < end && s[v] != '='; v++) {}
        if (v < end) candidates_at(c, s, v + (s[v] == '='), end);
    }
    if (hits) return;
    for (q = p; q < end && s[q] != '='; q++) {} /* the name is broken by a comment or an escape */
    if (q < end) candidates_at(c, s, q + 1, end);
}

#endif
