/* What a header section says: type, boundary and transfer encoding of a part, and what else it could be read as. */
#ifndef MXWARD_MIME_TYPE_H
#define MXWARD_MIME_TYPE_H

#include "base64.h"
#include "mime_header.h"
#include "mime_param.h"

/* Kinds of further passes. */
enum { TASK_CANDIDATES, TASK_SPLIT, TASK_GUESS, TASK_DECODE, TASK_BODY };
enum { SPLIT_PREFIX = 1, SPLIT_INNER = 2, SPLIT_REOPEN = 4 };

static MimeTask* task_new(MimeTable* t, int32_t part, int what)
{
    MimeTask* task;
    if (t->n_tasks >= MIME_MAX_TASKS) {
        note(t, part, AN_too_many_readings, t->parts[part].head);
        return NULL;
    }
    task = &t->tasks[t->n_tasks++];
    memset(task, 0, sizeof *task);
    task->part = part;
    task->what = (uint8_t)what;
    return task;
}

/* "type/subtype" of the value s[p, end). Returns 1 when it is one (RFC 2045 5.1), else 0. */
static int type_parse(const uint8_t* s, size_t p, size_t end, MimePart* part, int* odd, int* comment)
{
    size_t slash, q, stop;
    p = skip_cfws(s, p, end, comment);
    for (stop = p; stop < end && s[stop] != ';'; stop++) {}
    for (slash = p; slash < stop && s[slash] != '/'; slash++)
        if (s[slash] <= ' ' || s[slash] >= 127 || strchr("()<>@,;:\\\"[]?=", s[slash])) break;
    if (slash == p || slash == stop || s[slash] != '/') {
        *odd = 1;
        return 0;
    }
    for (q = slash + 1; q < stop; q++)
        if (s[q] <= ' ' || s[q] >= 127 || strchr("()<>@,;:\\\"[]?=/", s[q])) break;
    if (q == slash + 1) {
        *odd = 1;
        return 0;
    }
    part->type = (uint32_t)p;
    part->type_end = (uint32_t)q;
    if (skip_cfws(s, q, stop, comment) != stop) *odd = 1;
    if (slash - p == 4 && same_word(s + p, "text", 4)) part->top = TOP_TEXT;
    else if (slash - p == 9 && same_word(s + p, "multipart", 9)) part->top = TOP_MULTIPART;
    else if (slash - p == 7 && same_word(s + p, "message", 7)) part->top = TOP_MESSAGE;
    else part->top = TOP_OTHER;
    return 1;
}

static int type_is(const uint8_t* s, const MimePart* p, const char* name)
{
    size_t n = strlen(name);
    return p->type_end - p->type == n && same_word(s + p->type, name, n);
}

static const struct {
    const char* name;
    uint8_t enc;
} ENCODINGS[] = {
    {"7bit", ENC_7BIT}, {"8bit", ENC_8BIT}, {"binary", ENC_BINARY}, {"base64", ENC_BASE64},
    {"quoted-printable", ENC_QP}, {"x-uuencode", ENC_UU}, {"uuencode", ENC_UU}, {"uue", ENC_UU}, {"x-uue", ENC_UU},
    {"x-uu", ENC_UU}, {"x-yencode", ENC_YENC}, {"x-yenc", ENC_YENC}, {"yenc", ENC_YENC}, {"yencode", ENC_YENC},
    {"binhex", ENC_BINHEX}, {"binhex40", ENC_BINHEX}, {"x-binhex", ENC_BINHEX}, {"x-binhex40", ENC_BINHEX},
    {"mac-binhex40", ENC_BINHEX}, {"mac-binhex", ENC_BINHEX}, {"gzip64", ENC_GZIP64}, {"x-gzip64", ENC_GZIP64},
};

static int encoding_exact(const uint8_t* s, size_t n)
{
    size_t i;
    for (i = 0; i < sizeof ENCODINGS / sizeof *ENCODINGS; i++)
        if (strlen(ENCODINGS[i].name) == n && same_word(s, ENCODINGS[i].name, n)) return ENCODINGS[i].enc;
    return ENC_UNKNOWN;
}

/* Encodings a client that looks for parts of words could see, one bit each. */
static unsigned encoding_loose(const uint8_t* s, size_t p, size_t end)
{
    unsigned bits = 0;
    if (find_word(s, p, end, "64") < end || find_word(s, p, end, "base") < end) bits |= 1u << ENC_BASE64;
    if (find_word(s, p, end, "quot") < end || find_word(s, p, end, "print") < end) bits |= 1u << ENC_QP;
    if (find_word(s, p, end, "qp") < end) bits |= 1u << ENC_QP;
    if (find_word(s, p, end, "uu") < end) bits |= 1u << ENC_UU;
    if (find_word(s, p, end, "yenc") < end) bits |= 1u << ENC_YENC;
    if (find_word(s, p, end, "hex") < end) bits |= 1u << ENC_BINHEX;
    if (find_word(s, p, end, "=?") < end) bits |= 1u << ENC_BASE64 | 1u << ENC_QP;
    return bits;
}

/* The value of a Content-Transfer-Encoding field: the encoding by RFC 2045 6.1, and in *other what else. */
static int encoding_parse(const uint8_t* s, size_t p, size_t end, unsigned* other, int* odd, int* comment)
{
    size_t q;
    int enc;
    if (end - p > VALUE_WINDOW) end = p + VALUE_WINDOW;
    p = skip_cfws(s, p, end, comment);
    while (end > p && is_space(s[end - 1])) end--;
    for (q = p; q < end && s[q] > ' ' && !strchr("();,\"", s[q]); q++) {}
    enc = encoding_exact(s + p, q - p);
    if (q == end && enc != ENC_UNKNOWN) return enc;
    if (q == end && p == end) {
        *odd = 1;
        return ENC_7BIT;
    }
    if (enc == ENC_UNKNOWN || skip_cfws(s, q, end, comment) != end) {
        unsigned bits = encoding_loose(s, p, end);
        Candidates c;
        Word word;
        c.list = &word;
        c.n = 0;
        if (bits == 0) { /* a comment may split the word */
            candidate_no_comment(&c, s, p, end);
            if (c.n) bits = encoding_loose(word.bytes, 0, word.n);
        }
        if (bits || enc != ENC_UNKNOWN) *odd = 1;
        *other |= bits;
    }
    return enc;
}

/* Encodings from all Content-Transfer-Encoding fields of a part. */
static void part_encoding(MimeTable* t, int32_t index, const uint8_t* s, const Hints* h)
{
    MimePart* p = &t->parts[index];
    unsigned other = 0;
    uint32_t i;
    int odd = 0, comment = 0;
    size_t text;
    if (p->f_enc >= 0) {
        const MimeField* f = &t->fields[p->f_enc];
        p->enc = (uint8_t)encoding_parse(s, f->value, f->end, &other, &odd, &comment);
        if (comment) note(t, index, AN_comment_in_mime_field, f->value);
        text = line_text_end(s, f->value, f->end);
        if (text > f->value && is_blank(s[text - 1])) note(t, index, AN_encoding_blank, f->value);
        if (odd) note(t, index, AN_encoding_syntax, f->value);
        else if (p->enc == ENC_UNKNOWN) note(t, index, AN_encoding_unknown, f->value);
        else if (p->enc > ENC_QP) note(t, index, AN_encoding_unusual, f->value);
    }
    for (i = 0; i < h->n_enc; i++) {
        const Span* v = &h->enc[i];
        size_t end = v->field ? t->fields[v->field - 1].end : v->to;
        int enc = encoding_parse(s, v->from, end, &other, &odd, &comment);
        if (enc == p->enc || (enc <= ENC_BINARY && p->enc <= ENC_BINARY)) continue;
        if (v->field) note(t, index, AN_duplicate_encoding, v->from);
        if (enc < ENC_UNKNOWN) other |= 1u << enc;
    }
    /* A damaged word keeps RFC 2045 6.4's reading (not decoded); the others become rows of their own. */
    p->other_enc = (uint16_t)(other & ~(1u << p->enc));
}

/* The boundary by RFC 2046 and 2231: the first plain one, else the sections put together. */
static const uint8_t* boundary_primary(MimeTable* t, int32_t index, const uint8_t* s, size_t p, size_t end, uint32_t* n,
                                       int* odd)
{
    Param a, plain;
    Word w;
    size_t at = p;
    int found = 0, count = 0, next = 0;
    w.n = 0;
    memset(&plain, 0, sizeof plain);
    while (param_next(s, &at, end, &a)) {
        if (++count > MIME_MAX_PARAMETERS) {
            note(t, index, AN_too_many_parameters, a.name);
            break;
        }
        *odd |= a.odd;
        if (a.name_end - a.name != 8 || !same_word(s + a.name, "boundary", 8)) continue;
        if (a.section < 0 && !a.extended) {
            if (found++ == 0) plain = a;
        } else {
            note(t, index, AN_boundary_rfc2231, a.name);
            *odd = 1;
            if (a.section < 0 || a.section == next) {
                word_param(&w, s, &a);
                next++;
            }
        }
    }
    if (found > 1) {
        note(t, index, AN_duplicate_boundary, plain.value);
        *odd = 1;
    }
    if (found) {
        w.n = 0;
        word_param(&w, s, &plain);
        if (memchr(s + plain.value, '\n', plain.value_end - plain.value)) {
            note(t, index, AN_boundary_folded, plain.value);
            *odd = 1;
        }
        if (w.n && (is_space(w.bytes[0]) || is_space(w.bytes[w.n - 1]))) *odd = 1;
        if (plain.quoted && plain.value == plain.value_end) note(t, index, AN_boundary_empty, plain.value);
    }
    word_trim(&w);
    if (w.n > 70) note(t, index, AN_boundary_too_long, plain.value);
    *n = (uint32_t)w.n;
    if (!found && w.n == 0) return NULL;
    if (found && w.n == plain.value_end - plain.value) return s + plain.value; /* nothing to clean */
    return table_keep(t, w.bytes, w.n);
}

/* Keeps the boundaries that clients could read out of all Content-Type values, for a look at the body later. */
static void keep_candidates(MimeTable* t, int32_t index, const uint8_t* s, const Hints* h, const uint8_t* known,
                            uint32_t n)
{
    Candidates c;
    MimePart* p = &t->parts[index];
    size_t total = 0, at = 0;
    uint8_t* packed;
    MimeTask* task;
    uint32_t k;
    int i;
    if (t->n_tasks >= MIME_MAX_TASKS) { /* first: a thousand damaged parts must not cost a thousand searches */
        note(t, index, AN_too_many_readings, p->head);
        return;
    }
    c.n = 0;
    c.list = malloc(MAX_CANDIDATES * sizeof *c.list);
    if (c.list == NULL) {
        t->failed = 1;
        return;
    }
    if (p->f_type >= 0) loose_candidates(&c, s, t->fields[p->f_type].value, t->fields[p->f_type].end, "boundary");
    for (k = 0; k < h->n_type; k++)
        loose_candidates(&c, s, h->type[k].from, h->type[k].field ? t->fields[h->type[k].field - 1].end : h->type[k].to,
                         "boundary");
    for (i = 0; known && i < c.n; i++)
        if (c.list[i].n == n && memcmp(c.list[i].bytes, known, n) == 0) c.list[i] = c.list[--c.n];
    for (i = 0; i < c.n; i++) total += c.list[i].n + 2;
    packed = malloc(total + 1);
    if (packed != NULL && c.n) {
        for (i = 0; i < c.n; i++) { /* two bytes of length, then the text */
            packed[at++] = (uint8_t)(c.list[i].n >> 8);
            packed[at++] = (uint8_t)c.list[i].n;
            memcpy(packed + at, c.list[i].bytes, c.list[i].n);
            at += c.list[i].n;
        }
        task = task_new(t, index, TASK_CANDIDATES);
        if (task != NULL) {
            task->boundary = table_keep(t, packed, total);
            task->boundary_size = task->boundary ? (uint32_t)total : 0;
        }
    }
    if (packed == NULL) t->failed = 1;
    free(packed);
    free(c.list);
}

/* Sets type, kind and encoding of a part whose header was read. For a multipart: its boundary, or NULL. */
static const uint8_t* part_classify(MimeTable* t, int32_t index, const uint8_t* s, Hints* h, uint32_t* n_boundary)
{
    MimePart* p = &t->parts[index];
    const uint8_t* boundary = NULL;
    int odd = 0, odd_params = 0, differs = 0, comment = 0;
    uint32_t i;
    part_encoding(t, index, s, h);
    p->top = TOP_TEXT;
    if (p->f_type >= 0) {
        const MimeField* f = &t->fields[p->f_type];
        if (!type_parse(s, f->value, f->end, p, &odd, &comment)) p->top = TOP_TEXT;
        if (odd) note(t, index, AN_type_syntax, f->value);
        if (comment) note(t, index, AN_comment_in_mime_field, f->value);
        if (p->top == TOP_MULTIPART) {
            size_t q = p->type_end;
            while (q < f->end && s[q] != ';') q++;
            boundary = boundary_primary(t, index, s, q, f->end, n_boundary, &odd_params);
            p->kind = KIND_MULTIPART;
            p->digest = (uint8_t)type_is(s, p, "multipart/digest");
            if (odd_params) note(t, index, AN_parameter_syntax, f->value);
            if (boundary == NULL) note(t, index, AN_boundary_missing, f->value);
        } else if (find_word(s, f->value, f->end, "boundary") < f->end
                   || find_word(s, f->value, f->end, "ultipart") < f->end) {
            odd = 2;
        }
    } else if (p->parent >= 0 && t->parts[p->parent].digest) {
        p->top = TOP_MESSAGE;
    }
    for (i = 0; i < h->n_type; i++) {
        const Span* v = &h->type[i];
        const MimeField* f = p->f_type >= 0 ? &t->fields[p->f_type] : NULL;
        size_t end = line_text_end(s, v->from, v->field ? t->fields[v->field - 1].end : v->to);
        size_t first = f ? line_text_end(s, f->value, f->end) : 0;
        if (f && v->field && end - v->from == first - f->value && memcmp(s + v->from, s + f->value, end - v->from) == 0)
            continue;
        differs = 1;
        if (v->field) note(t, index, AN_duplicate_content_type, v->from);
    }
    if (odd || odd_params || differs || (p->kind == KIND_MULTIPART && boundary == NULL))
        keep_candidates(t, index, s, h, boundary, *n_boundary);
    return boundary;
}

#endif
