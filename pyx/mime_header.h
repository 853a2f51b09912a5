/* Header sections: fields indexed in place, malformed lines named, hints for other readings collected.
 *
 * Not here: what a field's value means (mime_param.h, mime_type.h).
 */
#ifndef MXWARD_MIME_HEADER_H
#define MXWARD_MIME_HEADER_H

#include "mime_scan.h"
#include "mime_table.h"

enum { HINT_VALUES = 8 };

typedef struct { /* a place where a field's value lies, in the buffer of the part */
    uint32_t from, to;
    uint32_t field; /* field index plus one: `to` is where its last fold ends; 0 for text that is no field */
} Span;

typedef struct { /* what a header section offers beside its first fields; lives while one part is opened */
    Span type[HINT_VALUES], enc[HINT_VALUES]; /* further Content-Type and Content-Transfer-Encoding values */
    uint32_t n_type, n_enc;
    uint32_t other_body; /* where clients that stop early see the body; 0 none */
    int stopped;         /* fields from here on are invisible to clients that stop early */
} Hints;

static void hint_add(Span* list, uint32_t* n, size_t from, size_t to, uint32_t field)
{
    if (*n >= HINT_VALUES) return;
    list[*n].field = field;
    list[*n].from = (uint32_t)from;
    list[*n].to = (uint32_t)to;
    (*n)++;
}

/* 0 other, 1 Content-Type, 2 Content-Transfer-Encoding, 3 Content-Disposition, 4 other MIME field. */
static int mime_field_kind(const uint8_t* s, size_t size)
{
    if (size < 10) return 0;
    if ((s[0] | 32) == 'm') return size == 12 && same_word(s, "mime-version", 12) ? 4 : 0;
    if ((s[0] | 32) != 'c' || s[7] != '-' || !same_word(s, "content-", 8)) return 0;
    if (size == 12 && same_word(s + 8, "type", 4)) return 1;
    if (size == 25 && same_word(s + 8, "transfer-encoding", 17)) return 2;
    if (size == 19 && same_word(s + 8, "disposition", 11)) return 3;
    return 4;
}

/* Fields that RFC 5322 3.6 allows once. */
static int may_occur_once(const uint8_t* s, size_t size)
{
    static const char* const NAMES[] = {
        "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "subject", "date"};
    size_t i;
    for (i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strlen(NAMES[i]) == size && same_word(s, NAMES[i], size)) return 1 << i;
    return 0;
}

/* Span of the field name at s[p, end): printable ASCII without colon (RFC 5322 3.6.8). */
static inline size_t name_span(const uint8_t* s, size_t p, size_t end)
{
    while (p < end && s[p] > 32 && s[p] < 127 && s[p] != ':') p++;
    return p;
}

/* Whether the line at p looks like "Name:" once leading white space is skipped. */
static int looks_like_field(const uint8_t* s, size_t p, size_t end)
{
    size_t q;
    while (p < end && is_blank(s[p])) p++;
    q = name_span(s, p, end);
    if (q == p || q == end) return 0;
    return s[q] == ':' && ((lower(s[p]) >= 'a' && lower(s[p]) <= 'z'));
}

/* Behind a line that is no field at p: does a field follow before the header ends? Looks at 8 lines at most. */
static int field_follows(const uint8_t* s, size_t p, size_t end)
{
    int i;
    for (i = 0; i < 8 && p < end; i++) {
        size_t next = line_next(s, p, end), text = line_text_end(s, p, next);
        if (text == p || (text - p >= 2 && s[p] == '-' && s[p + 1] == '-')) return 0;
        if (i > 0 && looks_like_field(s, p, text)) return 1;
        p = next;
    }
    return 0;
}

/* Value start: behind the colon, white space skipped within the line. */
static inline size_t value_start(const uint8_t* s, size_t p, size_t end)
{
    while (p < end && is_blank(s[p])) p++;
    return p;
}

static void field_store(MimeTable* t, int32_t part, size_t line, size_t name_end, size_t value, size_t next)
{
    MimeField* f;
    if (t->parts[part].n_fields >= MIME_MAX_FIELDS) {
        note(t, part, AN_too_many_fields, line);
        return;
    }
    if (table_grow(t, (void**)&t->fields, t->n_fields, &t->cap_fields, sizeof *t->fields, 32)) return;
    f = &t->fields[t->n_fields++];
    f->line = (uint32_t)line;
    f->name_end = (uint32_t)name_end;
    f->value = (uint32_t)value;
    f->end = (uint32_t)next;
    t->parts[part].n_fields++;
}

/* Bookkeeping of a MIME field just stored (or found hidden, `hidden`): first ones go to the part, others to hints. */
static void mime_field(
    MimeTable* t, int32_t part, Hints* h, int kind, uint32_t index, int hidden, size_t value, size_t end)
{
    MimePart* p = &t->parts[part];
    if (kind == 1) {
        if (p->f_type < 0 && !hidden) p->f_type = (int32_t)index;
        else hint_add(h->type, &h->n_type, value, end, hidden ? 0 : index + 1);
    } else if (kind == 2) {
        if (p->f_enc < 0 && !hidden) p->f_enc = (int32_t)index;
        else hint_add(h->enc, &h->n_enc, value, end, hidden ? 0 : index + 1);
    } else if (kind == 3 && p->f_disp < 0 && !hidden) {
        p->f_disp = (int32_t)index;
    }
    if (h->stopped) {
        note(t, part, h->stopped == 1 ? AN_blank_fold_hides_field : AN_junk_hides_field, value);
        h->stopped = 0;
    }
}

typedef struct { /* the walk through one header section */
    const uint8_t* s;
    size_t end;      /* of the surrounding region */
    uint32_t last;   /* field index of the last field plus one, 0: the last line was no field */
    int last_is_odd; /* it was malformed: its folds may be read as fields */
    int last_kind;   /* mime_field_kind of the last field */
    unsigned once;   /* bits of may_occur_once seen */
} HeadWalk;

/* A folded line [p, next). */
static void head_fold(MimeTable* t, int32_t part, HeadWalk* w, Hints* h, size_t p, size_t next)
{
    size_t text = line_text_end(w->s, p, next), q = value_start(w->s, p, text), name_end;
    int kind;
    if (w->last) t->fields[w->last - 1].end = (uint32_t)next;
    else if (t->parts[part].n_fields == 0) note(t, part, AN_fold_without_field, p);
    if (q == text) {
        note(t, part, AN_blank_fold, p);
        h->stopped = 1;
        return;
    }
    if (w->last && w->last_kind && h->stopped == 1) {
        note(t, part, AN_blank_fold_hides_field, p);
        h->stopped = 0;
    }
    if (w->last && !w->last_is_odd) return;
    name_end = name_span(w->s, q, text);
    if (name_end == text || w->s[name_end] != ':') return;
    kind = mime_field_kind(w->s + q, name_end - q);
    if (kind == 0) return;
    note(t, part, AN_field_in_fold, q);
    mime_field(t, part, h, kind, 0, 1, value_start(w->s, name_end + 1, text), text);
}

/* A proper or repairable field line. `name` is where the name starts (control bytes skipped). */
static void head_field(MimeTable* t, int32_t part, HeadWalk* w, Hints* h, size_t p, size_t name, size_t name_end,
                       size_t colon, size_t next)
{
    size_t value = value_start(w->s, colon + 1, line_text_end(w->s, p, next));
    int kind = mime_field_kind(w->s + name, name_end - name);
    uint32_t before = t->parts[part].n_fields;
    unsigned bit;
    w->last_is_odd = colon != name_end;
    w->last_kind = kind;
    if (colon != name_end) note(t, part, kind ? AN_space_before_mime_colon : AN_space_before_colon, name_end);
    if (kind && w->s[value < next ? value : name] == ':') {
        note(t, part, AN_double_colon, value);
        value = value_start(w->s, value + 1, line_text_end(w->s, p, next));
    }
    if (kind && name != p) note(t, part, AN_control_before_name, p);
    field_store(t, part, name, name_end, value, next);
    w->last = t->parts[part].n_fields > before ? t->n_fields : 0;
    if (kind && w->last) mime_field(t, part, h, kind, t->n_fields - 1, 0, value, next);
    if (name_end - name <= 10) {
        bit = (unsigned)may_occur_once(w->s + name, name_end - name);
        if (bit & w->once) note(t, part, AN_duplicate_field, p);
        w->once |= bit;
    }
}

/* A line that is no field. Returns 1 when it belongs to the body, 0 when it was skipped. */
static int head_junk(MimeTable* t, int32_t part, HeadWalk* w, Hints* h, size_t p, size_t next)
{
    size_t text = line_text_end(w->s, p, next), q = name_span(w->s, p, text);
    int kind = mime_field_kind(w->s + p, q - p);
    if (kind && q < text && is_blank(w->s[q])) { /* "Content-Type text/html" */
        note(t, part, AN_missing_colon, q);
        mime_field(t, part, h, kind, 0, 1, value_start(w->s, q, text), text);
        w->last = 0;
        return 0;
    }
    if (w->s[p] == ':') {
        note(t, part, AN_field_without_name, p);
    } else if (text - p >= 5 && memcmp(w->s + p, "From ", 5) == 0) {
        if (t->parts[part].n_fields == 0) note(t, part, AN_mbox_from_line, p);
        else note(t, part, AN_junk_in_header, p);
    } else {
        if (!field_follows(w->s, p, w->end)) return 1;
        note(t, part, AN_junk_in_header, p);
        if (h->other_body == 0) h->other_body = (uint32_t)p;
        h->stopped = 2;
    }
    w->last = 0;
    w->last_is_odd = 1;
    return 0;
}

/* One line of the header section at p. Returns 0 to go on, 1 when the header ends before this line. */
static int head_line(MimeTable* t, int32_t part, HeadWalk* w, Hints* h, size_t p, size_t next)
{
    const uint8_t* s = w->s;
    size_t text, name = p, name_end, colon;
    if (is_blank(s[p])) {
        head_fold(t, part, w, h, p, next);
        return 0;
    }
    text = line_text_end(s, p, next);
    while (name < text && s[name] < 32) name++; /* control bytes that clients skip */
    name_end = name_span(s, name, text);
    colon = name_end;
    while (colon < text && is_blank(s[colon])) colon++;
    if (name_end > name && colon < text && s[colon] == ':') {
        head_field(t, part, w, h, p, name, name_end, colon, next);
        return 0;
    }
    return head_junk(t, part, w, h, p, next);
}

#endif
