/* The structure of a message: one forward pass with an explicit stack, then a bounded number of further passes over
 * bodies that clients would read in another way.
 *
 * Cost: every pass is linear in its region; there are at most 1 + MIME_MAX_READINGS passes over any byte of one
 * buffer. Memory: the tables of mime_table.h, all of limited length.
 */
#ifndef MXWARD_MIME_TREE_H
#define MXWARD_MIME_TREE_H

#include "mime_leaf.h"

typedef struct { /* an open container */
    int32_t part;
    const uint8_t* boundary; /* NULL: a message, or a multipart without boundary */
    uint32_t n;
    uint8_t closed, used; /* its closing delimiter, any delimiter was seen */
    uint8_t parts;        /* a part was opened */
    uint32_t close_at; /* where its epilogue starts */
    uint8_t pre_like, post_like; /* preamble or epilogue looked like MIME */
} Frame;

typedef struct { /* one pass */
    MimeTable* t;
    const uint8_t* s;
    size_t end;
    Frame stack[MIME_MAX_DEPTH + 2];
    int depth; /* frames in use */
    uint32_t reading, buffer;
    int flags;    /* SPLIT_ bits in force for stack[0] */
    Blocks blocks;
    struct { /* nested multiparts that an outer delimiter ended before their closing one */
        const uint8_t* boundary;
        uint32_t n;
        int32_t outer; /* the part whose delimiter ended it */
    } cut[8];
    int n_cut;
} Pass;

typedef struct { /* a delimiter line */
    int frame;   /* -1: none */
    int closing;
    size_t next; /* behind the line */
} Delimiter;

static void want(Pass* x, int frame, int flag, int code, size_t at)
{
    int32_t part = x->stack[frame].part;
    MimeTask* task;
    uint32_t i;
    note(x->t, part, code, at);
    if (x->reading) return; /* further readings are not followed into yet further ones */
    for (i = 0; i < x->t->n_tasks; i++)
        if (x->t->tasks[i].part == part && x->t->tasks[i].what == TASK_SPLIT) {
            x->t->tasks[i].flags |= (uint8_t)flag;
            return;
        }
    task = task_new(x->t, part, TASK_SPLIT);
    if (task == NULL) return;
    task->boundary = x->stack[frame].boundary;
    task->boundary_size = x->stack[frame].n;
    task->flags = (uint8_t)flag;
}

/* How the text [p, p + rest) behind "--" relates to a boundary: 0 not, 1 begins with it, 2 is it, 3 is its close. */
static int compare_delimiter(const uint8_t* s, size_t p, size_t rest, const uint8_t* boundary, uint32_t n)
{
    if (rest < n || memcmp(s + p, boundary, n) != 0) return 0;
    if (rest == n) return 2;
    return rest == n + 2 && s[p + n] == '-' && s[p + n + 1] == '-' ? 3 : 1;
}

/* The frames in the order of the pass: outermost first, because RFC 2046 5.1.2 makes an outer delimiter end
 * everything inside; with SPLIT_INNER only the innermost open multipart counts. */
static Delimiter match_frames(Pass* x, size_t p, size_t rest, int* prefix)
{
    Delimiter d = {-1, 0, 0};
    int inner = x->flags & SPLIT_INNER, i;
    for (i = 0; i < x->depth; i++) {
        int k = inner ? x->depth - 1 - i : i, how;
        Frame* f = &x->stack[k];
        int again = k == 0 && x->flags & SPLIT_REOPEN;
        if (f->boundary == NULL) continue;
        how = compare_delimiter(x->s, p + 2, rest, f->boundary, f->n);
        if (how >= 2 && f->closed && !again) {
            want(x, k, SPLIT_REOPEN, AN_part_after_close, p);
        } else if (how >= 2 && d.frame < 0) {
            d.frame = k;
            d.closing = how == 3;
        } else if (how >= 2) {
            want(x, d.frame, SPLIT_INNER, AN_boundary_nested_same, p);
        } else if (how == 1 && *prefix < 0 && (!f->closed || again)) {
            *prefix = k;
        }
        if (inner && (d.frame >= 0 || !f->closed)) break;
    }
    return d;
}

/* Looks whether the line at p, which starts with "--", is a delimiter of an open frame. */
static Delimiter match_delimiter(Pass* x, size_t p, size_t end)
{
    const uint8_t* s = x->s;
    size_t next = line_next(s, p, end), text = line_text_end(s, p, next), rest;
    int prefix = -1, k;
    Delimiter d;
    while (text > p + 2 && is_blank(s[text - 1])) text--;
    rest = text - p - 2; /* the caller saw two dashes, neither of them a line end */
    d = match_frames(x, p, rest, &prefix);
    d.next = next;
    if (d.frame >= 0) return d;
    if (prefix >= 0 && prefix == 0 && x->flags & SPLIT_PREFIX) {
        const Frame* f = &x->stack[0];
        d.frame = 0;
        d.closing = rest >= f->n + 2 && s[p + 2 + f->n] == '-' && s[p + 3 + f->n] == '-';
    } else if (prefix >= 0) {
        want(x, prefix, SPLIT_PREFIX, AN_boundary_prefix, p);
    }
    for (k = 0; k < x->n_cut && d.frame < 0; k++) {
        int i;
        if (compare_delimiter(s, p + 2, rest, x->cut[k].boundary, x->cut[k].n) < 2) continue;
        for (i = 0; i < x->depth; i++)
            if (x->stack[i].part == x->cut[k].outer) want(x, i, SPLIT_INNER, AN_inner_after_outer, p);
    }
    return d;
}

/* Whether the line behind a "--" line is a MIME field: the text looks like parts. */
static int mime_like(const uint8_t* s, size_t next, size_t end)
{
    return next < end && (s[next] | 32) == 'c' && end - next > 9 && same_word(s + next, "content-", 8);
}

/* Reads the header section of `part` from its head. Sets body; returns where the scan for delimiters starts. */
static size_t pass_header(Pass* x, int32_t part, Hints* h)
{
    MimeTable* t = x->t;
    HeadWalk w;
    size_t p = t->parts[part].head, from = p;
    memset(&w, 0, sizeof w);
    w.s = x->s;
    w.end = x->end;
    for (;;) {
        size_t next;
        if (p >= x->end) break;
        if (p - from > MIME_MAX_HEADER_BYTES) {
            note(t, part, AN_header_too_long, p);
            break;
        }
        next = line_next(x->s, p, x->end);
        if (line_text_end(x->s, p, next) == p) { /* the empty line */
            t->parts[part].body = (uint32_t)next;
            return next;
        }
        if (x->depth && x->s[p] == '-' && x->end - p > 1 && x->s[p + 1] == '-'
            && match_delimiter(x, p, x->end).frame >= 0) {
            note(t, part, AN_header_cut_by_boundary, p);
            break;
        }
        if (head_line(t, part, &w, h, p, next)) {
            note(t, part, t->parts[part].n_fields ? AN_missing_blank_line : AN_no_header, p);
            break;
        }
        p = next;
    }
    t->parts[part].body = (uint32_t)p;
    return p;
}

static void push(Pass* x, int32_t part, const uint8_t* boundary, uint32_t n)
{
    Frame* f = &x->stack[x->depth++]; /* bound: frames hold parts of strictly growing depth < MIME_MAX_DEPTH */
    memset(f, 0, sizeof *f);
    f->part = part;
    f->boundary = boundary;
    f->n = n;
}

/* A multipart that ends at `end`: what its preamble, its epilogue and its silence mean. */
static void close_frame(Pass* x, Frame* f, size_t end)
{
    MimeTable* t = x->t;
    MimePart* p = &t->parts[f->part];
    MimeTask* task = NULL;
    p->end = (uint32_t)(end < p->body ? p->body : end);
    if (p->kind != KIND_MULTIPART) return;
    if (f->boundary && !f->closed && f->used) note(t, f->part, AN_missing_close, p->end);
    if (f->used && !f->parts) note(t, f->part, AN_multipart_empty, p->body);
    if (f->boundary && !f->used) note(t, f->part, AN_boundary_never_used, p->body);
    if (x->reading) return;
    if (p->enc > ENC_BINARY && p->enc < ENC_UNKNOWN && (task = task_new(t, f->part, TASK_DECODE))) {
        note(t, f->part, AN_encoded_multipart, p->head);
        task->boundary = f->boundary;
        task->boundary_size = f->n;
        task = NULL;
    }
    if (f->used && f->pre_like && (task = task_new(t, f->part, TASK_GUESS)))
        note(t, f->part, AN_mime_in_preamble, p->body);
    if (!task && f->post_like && (task = task_new(t, f->part, TASK_GUESS))) {
        note(t, f->part, AN_mime_in_epilogue, f->close_at);
        task->from = f->close_at;
    }
    if (!task && !f->used) task = task_new(t, f->part, TASK_GUESS);
}

/* Ends all open entities above frame k at `end`. */
static void pop_to(Pass* x, int k, int32_t leaf, size_t end)
{
    if (leaf >= 0) {
        MimePart* p = &x->t->parts[leaf];
        p->end = (uint32_t)(end < p->body ? p->body : end);
        leaf_close(x->t, leaf, x->s, &x->blocks);
    }
    while (x->depth > k) {
        Frame* f = &x->stack[--x->depth];
        if (k > 0 && f->boundary && f->used && !f->closed && x->n_cut < 8) {
            x->cut[x->n_cut].boundary = f->boundary;
            x->cut[x->n_cut].n = f->n;
            x->cut[x->n_cut++].outer = x->stack[k - 1].part;
        }
        close_frame(x, f, end);
    }
}

/* Opens the entity whose header starts at x->t->parts[part].head. Returns the scan position; *leaf is the row when
 * it is a leaf, else -1; *nested is 1 when another entity starts right there (message/rfc822). */
static size_t pass_open(Pass* x, int32_t part, int32_t* leaf, int* nested)
{
    MimeTable* t = x->t;
    Hints h;
    uint32_t n = 0;
    const uint8_t* boundary;
    MimePart* p;
    size_t at;
    memset(&h, 0, sizeof h);
    at = pass_header(x, part, &h);
    boundary = part_classify(t, part, x->s, &h, &n);
    p = &t->parts[part];
    *leaf = -1;
    *nested = 0;
    if (h.other_body && !x->reading && is_noted(p, AN_junk_hides_field)) {
        MimeTask* task = task_new(t, part, TASK_BODY);
        if (task) task->from = h.other_body;
    }
    if (p->kind == KIND_MULTIPART && p->depth >= MIME_MAX_DEPTH) {
        note(t, part, AN_too_deep, p->head);
        p->kind = KIND_LEAF;
    } else if (p->kind == KIND_MULTIPART) {
        t->has_multipart = 1;
        push(x, part, boundary, n);
        return at;
    } else if (p->top == TOP_MESSAGE) {
        int plain = p->type == p->type_end || type_is(x->s, p, "message/rfc822") || type_is(x->s, p, "message/global")
                    || type_is(x->s, p, "message/news");
        if (type_is(x->s, p, "message/partial")) note(t, part, AN_message_partial, p->head);
        if (type_is(x->s, p, "message/external-body")) note(t, part, AN_message_external_body, p->head);
        if (plain && p->depth >= MIME_MAX_DEPTH) {
            note(t, part, AN_too_deep, p->head);
        } else if (plain && p->enc > ENC_BINARY && p->enc < ENC_UNKNOWN) {
            note(t, part, AN_encoded_message, p->head);
            task_new(t, part, TASK_DECODE);
        } else if (plain) {
            p->kind = KIND_MESSAGE;
            push(x, part, NULL, 0);
            *nested = 1;
            return at;
        }
    }
    *leaf = part;
    return at;
}

/* A mark at q inside a body: a file block, or text that looks like MIME. */
static void pass_mark(Pass* x, size_t q, size_t next, int32_t leaf)
{
    Frame* top = x->depth ? &x->stack[x->depth - 1] : NULL;
    if (x->s[q] == '-') {
        if (!mime_like(x->s, next, x->end)) return;
        if (leaf >= 0) {
            int undeclared = x->t->parts[leaf].f_type < 0 || x->t->parts[leaf].type == x->t->parts[leaf].type_end;
            int code = undeclared && x->t->parts[leaf].parent < 0 ? AN_undeclared_multipart : AN_mime_in_text;
            if (x->reading || is_noted(&x->t->parts[leaf], code)) return;
            note(x->t, leaf, code, q);
            task_new(x->t, leaf, TASK_GUESS);
        } else if (top && !top->used) {
            top->pre_like = 1;
        } else if (top) {
            top->post_like = 1;
        }
        return;
    }
    if (leaf >= 0 && x->blocks.n < MAX_BLOCKS) {
        int enc = block_starts(x->s, q, x->end);
        if (enc < 0) return;
        x->blocks.at[x->blocks.n] = (uint32_t)q;
        x->blocks.enc[x->blocks.n++] = (uint8_t)enc;
    }
}

/* End of the content before a delimiter line at q: its line end belongs to the delimiter (RFC 2046 5.1.1). */
static size_t before_line(const uint8_t* s, size_t q, size_t floor)
{
    if (q > floor && s[q - 1] == '\n') q--;
    if (q > floor && s[q - 1] == '\r') q--;
    return q;
}

/* Whether file blocks may stand in the leaf: it is one, and not encoded. */
static int is_plain_leaf(const MimeTable* t, int32_t leaf)
{
    return leaf >= 0 && t->parts[leaf].enc != ENC_BASE64 && t->parts[leaf].enc != ENC_QP;
}

/* The pass: from the entity `part` (header at its head), or, when part < 0, from a body at `at` in frames that the
 * caller pushed. */
static void pass_run(Pass* x, int32_t part, size_t at)
{
    MimeTable* t = x->t;
    int32_t leaf = -1;
    int nested = 0, first = 1;
    if (part >= 0) {
        at = pass_open(x, part, &leaf, &nested);
        first = 1;
    }
    for (;;) {
        Delimiter d;
        size_t q;
        int32_t child, owner;
        if (nested) {
            int32_t parent = x->stack[x->depth - 1].part;
            child = part_new(t, parent, t->parts[parent].depth + 1u, x->reading, x->buffer, (uint32_t)at);
            if (child < 0) {
                note(t, parent, AN_too_many_parts, at);
                break;
            }
            at = pass_open(x, child, &leaf, &nested);
            first = 1;
            continue;
        }
        if (first && at < x->end && is_mark(x->s[at], 1)) q = at;
        else q = next_mark(x->s, at, x->end, is_plain_leaf(t, leaf));
        first = 0;
        if (q >= x->end) break;
        d.frame = -1;
        d.next = q + 1;
        if (x->s[q] == '-') {
            if (x->end - q < 2 || x->s[q + 1] != '-') {
                at = q;
                continue;
            }
            d = match_delimiter(x, q, x->end);
        }
        if (d.frame < 0) {
            pass_mark(x, q, d.next, leaf);
            at = q;
            continue;
        }
        owner = x->stack[d.frame].part;
        pop_to(x, d.frame + 1, leaf,
               before_line(x->s, q, t->parts[owner].buffer == x->buffer ? t->parts[owner].body : 0));
        leaf = -1;
        at = d.next;
        x->stack[d.frame].used = 1;
        first = 1;
        x->stack[d.frame].parts |= !d.closing;
        if (d.closing) {
            x->stack[d.frame].closed = 1;
            x->stack[d.frame].close_at = (uint32_t)at;
            continue;
        }
        child = part_new(t, owner, t->parts[owner].depth + 1u, x->reading, x->buffer, (uint32_t)at);
        if (child < 0) {
            note(t, owner, AN_too_many_parts, at);
            break;
        }
        at = pass_open(x, child, &leaf, &nested);
    }
    pop_to(x, 0, leaf, x->end);
}

#endif
