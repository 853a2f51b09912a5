/* The way through an HTML document: text, markup, elements whose content is text, and what is left at its end.
 *
 * What is never closed waits for the end of the document and is then read once more with other eyes. Not here: markup
 * itself (sa_html.h). Source: behaviour of HTML::Parser 3.81 with marked_sections, and of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_DOCUMENT_H
#define MXWARD_SA_DOCUMENT_H

#include "sa_html.h"

/* The content of a literal element from `from`: behind its end tag, or `from` when there is none. */
static const uint8_t *sh_literal(sa_parser *p, const uint8_t *from)
{
    const uint8_t *end = p->end, *at = from;
    size_t n = (size_t)SA_LITERAL[p->literal].size;
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        sa_value word = { at + 2, n, 1 };
        int may_end = p->literal != SL_PLAINTEXT && (size_t)(end - at) >= n + 2 && at[1] == '/';
        if (may_end && sa_is(word, SA_LITERAL[p->literal].name)) {
            const uint8_t *stop = sh_skip(at + 2 + n, end);
            if (stop < end && *stop == '>') {
                sh_text(p, from, at);
                sa_end_tag(p->s, at + 2, n);
                p->literal = -1;
                p->is_cdata = 0;
                return stop + 1;
            }
        }
        at++;
    }
    return from;
}

/* The content of a CDATA or RCDATA section; `from` when it does not end. */
static const uint8_t *sh_section(sa_parser *p, const uint8_t *from)
{
    const uint8_t *end = p->end, *at = from;
    while ((at = memchr(at, ']', (size_t)(end - at))) != NULL) {
        if (end - at >= 3 && at[1] == ']' && at[2] == '>') {
            sh_text(p, from, at);
            sm_pop(p);
            return at + 3;
        }
        at++;
    }
    return from;
}

/* Text up to the next '<'; a "]]>" in it ends a marked section. */
static const uint8_t *sh_words(sa_parser *p, const uint8_t **from, const uint8_t *at)
{
    const uint8_t *end = p->end;
    if (!p->n_marked) {
        const uint8_t *mark = memchr(at, '<', (size_t)(end - at));
        return mark ? mark : end;
    }
    for (; at < end && *at != '<'; at++) {
        if (p->n_marked && end - at >= 3 && at[0] == ']' && at[1] == ']' && at[2] == '>') {
            sh_text(p, *from, at);
            sm_pop(p);
            *from = at + 3;
            at += 2;
        }
    }
    return at;
}

/* As far as the document can be read without knowing that it ends; returns where the rest begins. */
static const uint8_t *sh_run(sa_parser *p, const uint8_t *from)
{
    const uint8_t *at = from, *end = p->end;
    while (from < end) {
        int mode = sm_mode(p);
        const uint8_t *next = from;
        if (p->literal >= 0) next = sh_literal(p, from);
        else if (mode == SM_CDATA || mode == SM_RCDATA) next = sh_section(p, from);
        if (p->literal >= 0 || mode == SM_CDATA || mode == SM_RCDATA || next != from) {
            if (next == from) return from;
            at = from = next;
            continue;
        }
        at = sh_words(p, &from, at);
        if (at == end) break;
        sh_text(p, from, at);
        from = at;
        if (end - at < 3) return from;
        next = sh_markup(p, at);
        if (next == at) return from;
        if (next) at = from = next; else at++;  /* no markup: the '<' is text */
    }
    /* a word at the end may be cut: it waits for the end of the document, as does white space there */
    if (from >= end) return end;
    at = end - 1;
    if (sa_space(*at)) while (at >= from && sa_space(*at)) at--;
    else {
        while (at >= from && !sa_space(*at)) at--;
        while (at >= from && sa_space(*at)) at--;
    }
    at++;
    sh_text(p, from, at);
    return at > from ? at : from;
}

/* What is left when the document has ended. */
static int sh_is_code(const sa_parser *p) { return p->literal == SL_SCRIPT || p->literal == SL_STYLE; }

static void sh_rest(sa_parser *p, const uint8_t *from)
{
    int again = 0;
    if (sh_is_code(p)) {  /* SpamAssassin closes these itself, before the document ends */
        sh_text(p, from, p->end);
        sa_end_tag(p->s, (const uint8_t *)SA_LITERAL[p->literal].name, (size_t)SA_LITERAL[p->literal].size);
        return;
    }
    while (from < p->end) {
        if (p->literal >= 0) {
            int literal = p->literal;
            if ((!sh_is_code(p) && literal != SL_TITLE) || ++again > SA_MAX_AGAIN) break;
            if (literal == SL_TITLE) p->pending = literal;
            else sa_end_tag(p->s, (const uint8_t *)SA_LITERAL[literal].name, (size_t)SA_LITERAL[literal].size);
            p->literal = -1;
            from = sh_run(p, from);
        } else if (*from == '<' && !p->any_end_closes) {
            p->any_end_closes = 1;
            from = sh_run(p, from);
        } else {
            uint8_t next = from + 1 < p->end ? from[1] : '/';
            if (*from == '<' && (sh_first(next) || next == '/' || next == '!' || next == '?')) {
                sh_comment(p, from, p->end);
                from = p->end;
            }
            break;
        }
    }
    sh_text(p, from, p->end);
    sh_close_pending(p);
}

static void sa_run(sa_state *s)
{
    sa_parser p;
    memset(&p, 0, sizeof(p));
    p.s = s;
    p.end = s->data + s->size;
    p.literal = p.pending = -1;
    sh_rest(&p, sh_run(&p, s->data));
}

/* Copies the source into `out` (room for size + 1) the way SpamAssassin prepares it: "&nbsp;" becomes a space, "<br/>"
 * "<br>", curly quotes straight ones. A zero follows. Returns the size. */
static size_t sa_prepare(const uint8_t *data, size_t size, uint8_t *out)
{
    size_t p = 0, q = 0;
    while (p < size) {
        uint8_t c = data[p];
        if (c == '&' && size - p >= 6 && memcmp(data + p, "&nbsp;", 6) == 0) {
            out[q++] = ' ';
            p += 6;
        } else if (c == 0xE2 && size - p >= 3 && data[p + 1] == 0x80 && (data[p + 2] | 1) == 0x9D) {
            out[q++] = '"';
            p += 3;
        } else if (c == '<') {
            size_t name = p + 1, stop;
            while (name < size && (se_alnum(data[name]) || data[name] >= 0x80)) name++;
            stop = name;
            while (stop < size && sa_space(data[stop])) stop++;
            if (name > p + 1 && size - stop >= 2 && data[stop] == '/' && data[stop + 1] == '>') {
                memcpy(out + q, data + p, name - p);
                q += name - p;
                out[q++] = '>';
                p = stop + 2;
            } else {
                out[q++] = c;
                p++;
            }
        } else {
            out[q++] = c;
            p++;
        }
    }
    out[q] = 0;
    return q;
}

#endif
