/* Leaves: rows for every way some client would decode them, and files hidden in text bodies. */
#ifndef MXWARD_MIME_LEAF_H
#define MXWARD_MIME_LEAF_H

#include "mime_type.h"

/* Another way to decode the leaf. Returns the row or -1 (limit or memory). */
static int32_t leaf_row(MimeTable* t, int32_t leaf, int enc, int mode)
{
    int32_t again = part_again(t, leaf, (uint32_t)t->parts[leaf].reading + 1);
    if (again < 0) {
        note(t, leaf, AN_too_many_parts, t->parts[leaf].head);
        return -1;
    }
    t->parts[again].enc = (uint8_t)enc;
    t->parts[again].mode = (uint8_t)mode;
    t->parts[again].other_enc = 0;
    return again;
}

/* Rows for the readings of damaged base64. */
static void leaf_base64(MimeTable* t, int32_t leaf, const Base64Look* look)
{
    size_t from = t->parts[leaf].body, end = t->parts[leaf].end; /* no pointer is kept: rows move when one is added */
    int own_line = look->odd_lines && (look->chars & 3);
    /* Padding may be followed by one more stretch of text (a signature, an advertisement): that is junk. */
    int inner = look->pads && look->after_pad >= 4;
    if (look->junk) note(t, leaf, AN_base64_junk, from + look->first_junk);
    if (inner) {
        note(t, leaf, AN_base64_inner_padding, from + look->first_pad);
        leaf_row(t, leaf, ENC_BASE64, B64_CONTINUE);
        leaf_row(t, leaf, ENC_BASE64, B64_RESTART);
        leaf_row(t, leaf, ENC_BASE64, B64_QUAD);
    }
    if (look->junk && !(look->pads && look->first_junk > look->first_pad)) {
        note(t, leaf, AN_base64_junk_ambiguous, from + look->first_junk);
        leaf_row(t, leaf, ENC_BASE64, B64_LINE);
        leaf_row(t, leaf, ENC_BASE64, B64_CLEAN);
    } else if (own_line) {
        note(t, leaf, AN_base64_line_shift, from);
        leaf_row(t, leaf, ENC_BASE64, B64_LINE);
    } else if ((look->chars + (look->pads > 2 ? 2 : look->pads)) & 3) {
        note(t, leaf, AN_base64_truncated, end);
    }
}

/* Rows for the readings of damaged quoted-printable. */
static void leaf_qp(MimeTable* t, int32_t leaf, const uint8_t* s)
{
    size_t from = t->parts[leaf].body;
    QpLook look;
    int mode;
    qp_inspect(s + from, t->parts[leaf].end - from, &look);
    if (look.bad) note(t, leaf, AN_qp_bad_escape, from + look.first_bad);
    if (look.odd) note(t, leaf, AN_qp_ambiguous, from + look.first_bad);
    if (look.lower && look.upper) note(t, leaf, AN_qp_mixed_case, from);
    if (look.bad)
        for (mode = QP_RFC + 1; mode < QP_UPPER; mode++) leaf_row(t, leaf, ENC_QP, mode);
    if (look.bad || (look.lower && look.upper)) leaf_row(t, leaf, ENC_QP, QP_UPPER);
}

/* Whether a body is nothing but base64, at least 64 characters of it in whole groups. */
static int looks_base64(const uint8_t* s, const MimePart* p)
{
    Base64Look look;
    size_t q = p->body, text;
    while (q < p->end && is_space(s[q])) q++;
    text = line_text_end(s, q, line_next(s, q, p->end));
    if (text - q < 4 || !b64_line_is_clean(s + q, text - q)) return 0; /* most text fails in its first word */
    for (; q < text; q++)
        if (is_blank(s[q])) return 0;
    base64_inspect(s + p->body, p->end - p->body, &look);
    return look.junk == 0 && look.chars >= 64 && ((look.chars + look.pads) & 3) == 0 && look.after_pad == 0;
}

enum { MAX_BLOCKS = 16 };

typedef struct { /* uuencode, yEnc and BinHex blocks seen in the current leaf */
    uint32_t at[MAX_BLOCKS];
    uint8_t enc[MAX_BLOCKS];
    int n;
} Blocks;

/* What file block starts at line start q, or -1. */
static int block_starts(const uint8_t* s, size_t q, size_t n)
{
    size_t i;
    if (s[q] == 'b' && code_starts(s, n, q, "begin ")) {
        for (i = q + 6; i < n && i < q + 10 && s[i] >= '0' && s[i] <= '7'; i++) {}
        return i >= q + 9 && i + 1 < n && s[i] == ' ' && s[i + 1] > ' ' ? ENC_UU : -1;
    }
    if (s[q] == '=' && code_starts(s, n, q, "=ybegin ")) return ENC_YENC;
    if (s[q] == '(' && code_starts(s, n, q, "(This file must be converted with BinHex")) return ENC_BINHEX;
    return -1;
}

/* End of the block that starts at q: behind its last line, at most `end`. */
static size_t block_end(const uint8_t* s, size_t q, size_t end, int enc)
{
    if (enc == ENC_BINHEX) return end;
    for (q = line_next(s, q, end); q < end; q = line_next(s, q, end)) {
        size_t text = line_text_end(s, q, line_next(s, q, end));
        if (enc == ENC_UU && text - q == 3 && memcmp(s + q, "end", 3) == 0) return line_next(s, q, end);
        if (enc == ENC_YENC && code_starts(s, end, q, "=yend")) return line_next(s, q, end);
    }
    return end;
}

static void leaf_blocks(MimeTable* t, int32_t leaf, const uint8_t* s, Blocks* b)
{
    size_t covered = 0;
    int i;
    for (i = 0; i < b->n; i++) {
        static const int CODE[] = {AN_uuencode_block, AN_yenc_block, AN_binhex_block};
        MimePart* p = &t->parts[leaf];
        int32_t row;
        if (b->at[i] < covered || b->at[i] >= p->end) continue;
        covered = block_end(s, b->at[i], p->end, b->enc[i]);
        note(t, leaf, CODE[b->enc[i] == ENC_UU ? 0 : b->enc[i] == ENC_YENC ? 1 : 2], b->at[i]);
        row = part_new(t, leaf, p->depth + 1u, p->reading + 1u, p->buffer, b->at[i]);
        if (row < 0) {
            note(t, leaf, AN_too_many_parts, b->at[i]);
            break;
        }
        t->parts[row].end = (uint32_t)covered;
        t->parts[row].enc = b->enc[i];
        t->parts[row].row = ROW_BLOCK;
        t->parts[row].top = TOP_OTHER;
    }
    b->n = 0;
}

/* Called once for every leaf when its end is known. */
static void leaf_close(MimeTable* t, int32_t leaf, const uint8_t* s, Blocks* blocks)
{
    MimePart p = t->parts[leaf]; /* a copy: rows move when the table grows */
    Base64Look look;
    int enc;
    if (p.enc == ENC_BASE64) {
        base64_inspect(s + p.body, p.end - p.body, &look);
        leaf_base64(t, leaf, &look);
    } else if (p.enc == ENC_QP) {
        leaf_qp(t, leaf, s);
    } else if ((p.enc <= ENC_BINARY || p.enc == ENC_UNKNOWN) && !(p.other_enc >> ENC_BASE64 & 1)
               && looks_base64(s, &p)) {
        note(t, leaf, AN_base64_undeclared, p.body);
        leaf_row(t, leaf, ENC_BASE64, B64_STOP);
    }
    for (enc = 0; enc < ENC_UNKNOWN; enc++)
        if (p.other_enc >> enc & 1) leaf_row(t, leaf, enc, 0);
    if (blocks->n) leaf_blocks(t, leaf, s, blocks);
}

#endif
