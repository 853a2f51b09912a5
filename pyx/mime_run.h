/* Parsing one message: the main pass, then the further passes it asked for. The entry points of the parser. */
#ifndef MXWARD_MIME_RUN_H
#define MXWARD_MIME_RUN_H

#include "mime_tree.h"

/* Bytes that decoding n bytes may need at most. BinHex runs are cut at four times the input. */
static size_t decode_bound(int enc, size_t n)
{
    if (enc == ENC_BASE64 || enc == ENC_GZIP64) return base64_bound(n);
    if (enc == ENC_BINHEX) return 4 * n + 64;
    return n + 64;
}

/* Decodes s[0, n) into out (decode_bound bytes). Returns the size. GZIP64 gives the compressed data. */
static size_t decode_into(int enc, int mode, const uint8_t* s, size_t n, uint8_t* out)
{
    switch (enc) {
    case ENC_BASE64:
    case ENC_GZIP64: return base64_decode(s, n, mode, out);
    case ENC_QP: return qp_decode(s, n, mode, out);
    case ENC_UU: return uu_decode(s, n, out);
    case ENC_YENC: return yenc_decode(s, n, out);
    case ENC_BINHEX: return binhex_decode(s, n, out, 4 * n + 64);
    default: memcpy(out, s, n); return n;
    }
}

static void pass_start(Pass* x, MimeTable* t, uint32_t buffer, size_t end, uint32_t reading, int flags)
{
    x->t = t;
    x->s = t->buffers[buffer].data;
    x->end = end;
    x->depth = 0;
    x->reading = reading;
    x->buffer = buffer;
    x->flags = flags;
    x->blocks.n = 0;
    x->n_cut = 0;
}

/* A number for one more reading, or 0 when there were enough. */
static uint32_t next_reading(MimeTable* t, int32_t part)
{
    if (t->n_readings >= MIME_MAX_READINGS) {
        note(t, part, AN_too_many_readings, t->parts[part].head);
        return 0;
    }
    return ++t->n_readings;
}

/* Parses the body of `part` again with another boundary. Returns 1 when parts were found. */
static int split_again(Pass* x, MimeTable* t, int32_t part, const uint8_t* boundary, uint32_t n, int flags, size_t from)
{
    uint32_t reading = next_reading(t, part), before;
    int ambiguous = t->ambiguous;
    int32_t row;
    MimePart p;
    if (reading == 0) return 0;
    row = part_again(t, part, reading);
    if (row < 0) {
        note(t, part, AN_too_many_parts, t->parts[part].head);
        return 0;
    }
    before = t->n_parts;
    t->parts[row].kind = KIND_MULTIPART;
    t->parts[row].enc = ENC_7BIT;
    p = t->parts[row];
    pass_start(x, t, p.buffer, p.end, reading, flags);
    push(x, row, boundary, n);
    pass_run(x, -1, from > p.body ? from : p.body);
    if (t->n_parts == before) { /* nothing there: take the row and its anomalies back */
        while (t->n_anomalies && t->anomalies[t->n_anomalies - 1].part >= (uint32_t)row) t->n_anomalies--;
        t->n_parts = (uint32_t)row;
        t->n_readings--;
        t->ambiguous = ambiguous;
        return 0;
    }
    t->parts[part].has_split = 1;
    return 1;
}

/* Which of the packed boundaries (task->boundary) start a delimiter line in the body: sets seen[i] to 2 when one
 * is the whole line, 1 when it only starts it. */
static void look_for_candidates(const MimeTable* t, const MimeTask* task, uint8_t* seen)
{
    const MimePart* p = &t->parts[task->part];
    const uint8_t* s = t->buffers[p->buffer].data;
    size_t q = p->body, at;
    if (!(q < p->end && s[q] == '-')) q = next_mark(s, q, p->end, 0);
    for (; q < p->end; q = next_mark(s, q, p->end, 0)) {
        size_t next = line_next(s, q, p->end), text = line_text_end(s, q, next), rest;
        int i = 0;
        if (text - q < 3 || s[q + 1] != '-') continue;
        while (is_blank(s[text - 1])) text--;
        rest = text > q + 2 ? text - q - 2 : 0;
        for (at = 0; at + 2 <= task->boundary_size; i++) {
            size_t n = (size_t)task->boundary[at] << 8 | task->boundary[at + 1];
            at += 2;
            if (rest >= n && memcmp(s + q + 2, task->boundary + at, n) == 0) {
                int whole = rest == n || (rest == n + 2 && s[q + 2 + n] == '-' && s[q + 3 + n] == '-');
                if (whole) seen[i] = 2;
                else if (!seen[i]) seen[i] = 1;
            }
            at += n;
        }
    }
}

static void run_candidates(Pass* x, MimeTable* t, const MimeTask* task)
{
    uint8_t seen[MAX_CANDIDATES] = {0};
    int32_t part = task->part;
    int level, i, tries = 0;
    size_t at;
    look_for_candidates(t, task, seen);
    for (level = 2; level >= 1; level--) {
        for (i = 0, at = 0; at + 2 <= task->boundary_size; i++) {
            uint32_t n = (uint32_t)task->boundary[at] << 8 | task->boundary[at + 1];
            const uint8_t* b = task->boundary + at + 2;
            at += 2 + n;
            if (seen[i] != level || tries >= 3) continue;
            tries++;
            note(t, part, t->parts[part].kind == KIND_MULTIPART ? AN_boundary_syntax : AN_multipart_syntax,
                 t->parts[part].head);
            split_again(x, t, part, b, n, level == 1 ? SPLIT_PREFIX : 0, 0);
        }
        if (tries) break; /* exact ones speak for themselves */
    }
}

/* Takes the first "--" line that a MIME field follows for a delimiter. */
static void run_guess(Pass* x, MimeTable* t, const MimeTask* task)
{
    const MimePart* p = &t->parts[task->part];
    const uint8_t* s = t->buffers[p->buffer].data;
    size_t q = task->from > p->body ? task->from : p->body, end = p->end;
    if (p->has_split) return;
    if (!(q < end && s[q] == '-')) q = next_mark(s, q, end, 0);
    for (; q < end; q = next_mark(s, q, end, 0)) {
        size_t next = line_next(s, q, end), text = line_text_end(s, q, next);
        if (text - q < 2 || s[q + 1] != '-' || !mime_like(s, next, end)) continue;
        while (text > q + 2 && is_blank(s[text - 1])) text--;
        if (split_again(x, t, task->part, s + q + 2, (uint32_t)(text - q - 2), SPLIT_PREFIX, q)
            && t->parts[task->part].kind == KIND_MULTIPART && task->from == 0)
            note(t, task->part, AN_boundary_guessed, q);
        return;
    }
}

/* Decodes the content of `part` into a buffer of its own. Returns the buffer's index or 0. */
static uint32_t decode_buffer(MimeTable* t, int32_t part)
{
    MimePart p = t->parts[part];
    size_t n = p.end - p.body, bound = decode_bound(p.enc, n);
    uint8_t* data;
    uint32_t index = t->n_buffers;
    if (index >= MIME_MAX_BUFFERS || t->decoded + n > 4 * (uint64_t)t->size + 65536 || p.enc == ENC_GZIP64) {
        note(t, part, AN_decode_budget, p.body);
        return 0;
    }
    data = malloc(bound);
    if (data == NULL) {
        t->failed = 1;
        return 0;
    }
    t->buffers[index].data = data;
    t->buffers[index].size = (uint32_t)decode_into(p.enc, p.mode, t->buffers[p.buffer].data + p.body, n, data);
    t->buffers[index].part = part;
    t->n_buffers++;
    t->decoded += n;
    return index;
}

/* A multipart whose body was decoded into `buffer`: its parts, if it has any there, are a further reading. */
static void decoded_multipart(Pass* x, MimeTable* t, const MimeTask* task, uint32_t buffer)
{
    MimePart p = t->parts[task->part];
    uint32_t reading = task->boundary ? next_reading(t, task->part) : 0;
    int32_t row = reading ? part_again(t, task->part, reading) : -1;
    if (row < 0) return;
    pass_start(x, t, buffer, t->buffers[buffer].size, reading, 0);
    push(x, row, task->boundary, task->boundary_size);
    pass_run(x, -1, 0);
    if (t->n_parts == (uint32_t)row + 1) {
        while (t->n_anomalies && t->anomalies[t->n_anomalies - 1].part >= (uint32_t)row) t->n_anomalies--;
        t->n_parts--;
        t->n_readings--;
        return;
    }
    t->parts[row].end = p.end; /* the span of the row itself stays that of the encoded text */
    t->parts[row].body = p.body;
    t->parts[row].enc = ENC_7BIT;
    t->parts[task->part].has_split = 1;
    note(t, task->part, AN_encoded_multipart_parts, p.body);
}

static void run_decode(Pass* x, MimeTable* t, const MimeTask* task)
{
    MimePart p = t->parts[task->part];
    uint32_t buffer = decode_buffer(t, task->part), reading = p.reading;
    int32_t row = task->part, child;
    if (buffer == 0) return;
    if (p.kind == KIND_MULTIPART) {
        decoded_multipart(x, t, task, buffer);
        return;
    }
    child = part_new(t, row, p.depth + 1u, reading, buffer, 0);
    if (child < 0) {
        note(t, row, AN_too_many_parts, p.body);
        return;
    }
    t->parts[row].kind = KIND_MESSAGE;
    pass_start(x, t, buffer, t->buffers[buffer].size, reading, 0);
    pass_run(x, child, 0);
}

/* The body as clients see it that end the header at the first strange line. */
static void run_body(MimeTable* t, const MimeTask* task)
{
    int32_t row = part_again(t, task->part, (uint32_t)t->parts[task->part].reading + 1);
    MimePart* p;
    if (row < 0) return;
    p = &t->parts[row];
    p->body = task->from;
    if (p->f_enc >= 0 && t->fields[p->f_enc].line > p->body) {
        p->f_enc = -1;
        p->enc = ENC_7BIT;
    }
    if (p->f_type >= 0 && t->fields[p->f_type].line > p->body) {
        p->f_type = -1;
        p->type = p->type_end = p->head;
        p->top = TOP_TEXT;
    }
    p->kind = KIND_LEAF;
}

static void run_tasks(Pass* x, MimeTable* t)
{
    uint32_t i;
    for (i = 0; i < t->n_tasks && !t->failed; i++) {
        MimeTask task = t->tasks[i];
        switch (task.what) {
        case TASK_CANDIDATES: run_candidates(x, t, &task); break;
        case TASK_SPLIT:
            if (task.boundary) split_again(x, t, task.part, task.boundary, task.boundary_size, task.flags, 0);
            break;
        case TASK_GUESS: run_guess(x, t, &task); break;
        case TASK_DECODE: run_decode(x, t, &task); break;
        default: run_body(t, &task); break;
        }
    }
}

/* Multiparts in which no reading found a part: clients show their body as one part. */
static void rows_for_childless(MimeTable* t)
{
    uint32_t i, n = t->n_parts;
    int32_t row;
    uint8_t* has = calloc(n, 1);
    if (has == NULL) {
        t->failed = 1;
        return;
    }
    for (i = 0; i < n; i++)
        if (t->parts[i].parent >= 0) has[t->parts[i].parent] = 1;
    for (i = 0; i < n; i++) {
        const MimePart* p = &t->parts[i];
        if (p->kind != KIND_MULTIPART || has[i] || p->reading || p->body == p->end) continue;
        row = leaf_row(t, (int32_t)i, p->enc, 0); /* p is not used behind this: rows may move */
        if (row >= 0) t->parts[row].kind = KIND_LEAF;
    }
    free(has);
}

/* Reads the message again with every bare CR as a line end; keeps that reading only when it differs. */
static void run_bare_cr(Pass* x, MimeTable* t)
{
    uint32_t n_parts = t->n_parts, n_anomalies = t->n_anomalies, n_tasks = t->n_tasks, buffer = t->n_buffers;
    uint32_t i, main = 0, reading;
    uint8_t* data;
    int ambiguous = t->ambiguous;
    int32_t root;
    if (buffer >= MIME_MAX_BUFFERS || (reading = next_reading(t, 0)) == 0) return;
    data = malloc((size_t)t->size + 1);
    if (data == NULL) {
        t->failed = 1;
        return;
    }
    for (i = 0; i < t->size; i++)
        data[i] = t->data[i] == '\r' && (i + 1 == t->size || t->data[i + 1] != '\n') ? '\n' : t->data[i];
    t->buffers[buffer].data = data;
    t->buffers[buffer].size = t->size;
    t->buffers[buffer].part = 0;
    t->n_buffers++;
    root = part_new(t, -1, 0, reading, buffer, 0);
    if (root < 0) return;
    pass_start(x, t, buffer, t->size, reading, 0);
    pass_run(x, root, 0);
    for (i = 0; i < n_parts; i++) main += t->parts[i].reading == 0;
    if (main == t->n_parts - n_parts) {
        uint32_t k = n_parts;
        for (i = 0; i < n_parts; i++) {
            const MimePart *a = &t->parts[i], *b = &t->parts[k];
            if (a->reading) continue;
            if (a->body != b->body || a->kind != b->kind || a->enc != b->enc || a->n_fields != b->n_fields) break;
            k++;
        }
        if (i == n_parts) { /* no difference: forget it */
            t->n_parts = n_parts;
            t->n_anomalies = n_anomalies;
            t->n_tasks = n_tasks;
            t->n_readings--;
            t->ambiguous = ambiguous;
            t->n_buffers = buffer;
            free(data);
            return;
        }
    }
    note(t, 0, AN_bare_cr_structure, 0);
}

static void note_bytes(MimeTable* t, const ByteFacts* f)
{
    size_t i;
    if (f->nul < t->size) note(t, 0, AN_nul_byte, f->nul);
    if (f->bare_cr < t->size) note(t, 0, AN_bare_cr, f->bare_cr);
    if (f->crlf && f->lf) note(t, 0, AN_mixed_line_ends, 0);
    if (f->long_line < t->size) note(t, 0, AN_long_line, f->long_line);
    if (!f->high) return;
    for (i = 0; i < t->parts[0].body; i++)
        if (t->data[i] & 0x80) {
            note(t, 0, AN_raw_8bit_header, i);
            return;
        }
}

/* Parses data[0, size) into a new table; NULL when there is no memory even for that. The data must outlive it. */
static MimeTable* mime_parse(const uint8_t* data, size_t size)
{
    MimeTable* t = calloc(1, sizeof *t);
    Pass x;
    ByteFacts facts;
    size_t cut = size > 0xfffffff0u ? 0xfffffff0u : size;
    int32_t root;
    if (t == NULL) return NULL;
    t->data = data;
    t->size = (uint32_t)cut;
    t->buffers[0].data = (uint8_t*)(uintptr_t)data; /* never written or freed */
    t->buffers[0].size = t->size;
    t->n_buffers = 1;
    root = part_new(t, -1, 0, 0, 0, 0);
    if (root < 0) return t;
    pass_start(&x, t, 0, cut, 0, 0);
    pass_run(&x, root, 0);
    byte_facts(data, cut, MIME_MAX_LINE_BYTES, &facts);
    note_bytes(t, &facts);
    if (cut < size) note(t, 0, AN_message_too_large, cut);
    run_tasks(&x, t);
    if (t->has_multipart && !t->failed) rows_for_childless(t);
    if (facts.bare_cr < cut && !t->failed) run_bare_cr(&x, t);
    return t;
}

#endif
