/* HTML taken apart as Perl's HTML::Parser does it, in one pass, with its ideas of broken markup.
 *
 * A tag begins at '<' with a letter, '_' or ':' behind it, '/', '!' or '?'; what is never closed is text or, at the end
 * of the document, a comment. Elements whose content is text end at their own end tag only. Not here: what tags mean
 * (sa_tag.h). Source: behaviour of HTML::Parser 3.81 with marked_sections, and of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_HTML_H
#define MXWARD_SA_HTML_H

#include "sa_tag.h"

/* Elements whose content is text; references count in the last two. */
static const struct { const char *name; int size, is_cdata; } SA_LITERAL[] = {
    { "script", 6, 1 }, { "style", 5, 1 }, { "xmp", 3, 1 }, { "iframe", 6, 1 }, { "plaintext", 9, 1 }, { "title", 5, 0 },
    { "textarea", 8, 0 }
};
#define SA_N_LITERAL 7
enum { SL_SCRIPT, SL_STYLE, SL_XMP, SL_IFRAME, SL_PLAINTEXT, SL_TITLE, SL_TEXTAREA };
enum { SM_NONE, SM_INCLUDE, SM_RCDATA, SM_CDATA, SM_IGNORE };  /* kinds of marked sections, the strongest last */
#define SM_DEPTH 32
#define SA_MAX_AGAIN 50  /* titles that are never closed; each makes the rest be read once more */

typedef struct {
    sa_state *s;
    const uint8_t *end;
    int literal;               /* of SA_LITERAL, or -1 */
    int any_end_closes;        /* at the end of the document a comment ends at any '>' */
    uint8_t marked[SM_DEPTH]; int n_marked;
} sa_parser;

static inline int sh_first(uint8_t c) { return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || c == ':'; }
static inline int sh_name(uint8_t c) { return se_alnum(c) || c == ':' || c == '.' || c == '-'; }

static int sm_mode(const sa_parser *p)
{
    int mode = SM_NONE;
    for (int i = 0; i < p->n_marked; i++) if (p->marked[i] > mode) mode = p->marked[i];
    return mode;
}

static void sh_text(sa_parser *p, const uint8_t *from, const uint8_t *to)
{
    int mode = sm_mode(p);
    if (to <= from || mode == SM_IGNORE) return;
    sa_text(p->s, from, (size_t)(to - from), (p->literal >= 0 && SA_LITERAL[p->literal].is_cdata) || mode == SM_CDATA);
}

static void sh_comment(sa_parser *p, const uint8_t *from, const uint8_t *to)
{
    if (sm_mode(p) == SM_IGNORE) return;
    sa_item *item = sa_add(p->s, SA_COMMENT);
    if (item) { item->at = (uint32_t)(from - p->s->data); item->size = (uint32_t)(to - from); }
}

/* Every function below takes the '<' of some markup and returns what is behind it, NULL when it is none, or the '<'
 * itself when the document ends before it does. p->end is readable: a zero stands there. */

static const uint8_t *sh_skip(const uint8_t *at, const uint8_t *end) { while (at < end && sa_space(*at)) at++; return at; }

/* One attribute at `at`; fills the slot when it is one that is read. Returns behind it, NULL at the end of the document. */
static const uint8_t *sh_attribute(sa_parser *p, const uint8_t *at, sa_attributes *found)
{
    const uint8_t *end = p->end, *name = at++;
    while (at < end && !sa_space(*at) && *at != '=' && *at != '>') at++;
    size_t n_name = (size_t)(at - name);
    sa_value value = { name, n_name, 1 };  /* without a value the name stands for it */
    at = sh_skip(at, end);
    if (at < end && *at == '=') {
        at = sh_skip(at + 1, end);
        if (at == end) return NULL;
        const uint8_t *from = at;
        if (*at == '"' || *at == '\'') {
            at = memchr(at + 1, *at, (size_t)(end - at - 1));
            if (!at) return NULL;
            value.at = from + 1;
            value.size = (size_t)(at - from - 1);
            at++;
        } else {
            while (at < end && !sa_space(*at) && *at != '>') at++;
            value.at = from;
            value.size = (size_t)(at - from);
        }
        at = sh_skip(at, end);
    }
    if (at == end) return NULL;
    int is_broken, slot = st_attribute(name, n_name, &is_broken);
    if (slot >= 0 && (is_broken || !found->value[slot].is_set)) found->value[slot] = value;
    return at;
}

static const uint8_t *sh_start(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *at = mark + 2, *name = mark + 1;
    sa_attributes found;
    memset(&found, 0, sizeof(found));
    while (at < end && !sa_space(*at) && *at != '>') at++;
    size_t n = (size_t)(at - name);
    at = sh_skip(at, end);
    while (at < end && *at != '>') {
        at = sh_attribute(p, at, &found);
        if (!at) return mark;
    }
    if (at == end) return mark;
    if (sm_mode(p) != SM_IGNORE) sa_start_tag(p->s, name, n, &found);
    for (int i = 0; i < SA_N_LITERAL; i++) {
        sa_value v = { name, n, 1 };
        if (sa_is(v, SA_LITERAL[i].name)) p->literal = i;
    }
    return at + 1;
}

/* The '>' that ends an end tag: quotes hide it when they open behind a space or '='. */
static const uint8_t *sh_closing(const uint8_t *at, const uint8_t *end)
{
    uint8_t quote = 0, before = ' ';
    for (; at < end; before = *at++) {
        if (!quote && *at == '>') return at;
        if (*at == '"' || *at == '\'') {
            if (*at == quote) quote = 0;
            else if (!quote && (before == ' ' || before == '=')) quote = *at;
        }
    }
    return end;
}

static const uint8_t *sh_end(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *name = mark + 2, *at = name;
    while (at < end && !sa_space(*at) && *at != '>') at++;
    const uint8_t *stop = sh_closing(at, end);
    if (stop == end) return mark;
    if (at > name) { if (sm_mode(p) != SM_IGNORE) sa_end_tag(p->s, name, (size_t)(at - name)); }
    else sh_comment(p, mark, stop + 1);
    return stop + 1;
}

static const uint8_t *sh_until(sa_parser *p, const uint8_t *mark, const uint8_t *at)
{
    const uint8_t *stop = memchr(at, '>', (size_t)(p->end - at));
    if (!stop) return mark;
    sh_comment(p, mark, stop + 1);
    return stop + 1;
}

/* "<!--": ends at "--", white space, '>'; "<!-->" and "<!--->" are whole. */
static const uint8_t *sh_dashes(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *at = mark + 4;
    if (at < end && *at == '>') { sh_comment(p, mark, at + 1); return at + 1; }
    if (at + 1 < end && at[0] == '-' && at[1] == '>') { sh_comment(p, mark, at + 2); return at + 2; }
    if (p->any_end_closes) return sh_until(p, mark, at);
    while (at < end) {
        at = memchr(at, '-', (size_t)(end - at));
        if (!at || at + 1 >= end) return mark;
        if (at[1] == '-') {
            const uint8_t *stop = sh_skip(at + 2, end);
            if (stop < end && *stop == '>') { sh_comment(p, mark, stop + 1); return stop + 1; }
        }
        at++;
    }
    return mark;
}

/* "<![": a marked section of SGML, as in <![CDATA[...]]>. NULL when it is none. */
static const uint8_t *sh_marked(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *at = mark + 3;
    int mode = SM_NONE;
    at = sh_skip(at, end);
    while (at < end && sh_first(*at)) {
        const uint8_t *from = at;
        while (at < end && sh_name(*at)) at++;
        sa_value word = { from, (size_t)(at - from), 1 };
        int kind = sa_is(word, "cdata") ? SM_CDATA : sa_is(word, "rcdata") ? SM_RCDATA : sa_is(word, "ignore") ? SM_IGNORE
                 : SM_INCLUDE;
        if (kind > mode) mode = kind;
        at = sh_skip(at, end);
    }
    if (at >= end) return mark;
    if (*at != '[') return NULL;
    if (p->n_marked < SM_DEPTH) p->marked[p->n_marked++] = (uint8_t)(mode ? mode : SM_INCLUDE);
    return at + 1;
}

/* "<!DOCTYPE" and "<!ENTITY". NULL when it is malformed. */
static const uint8_t *sh_declaration(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *at = mark + 2;
    while (at < end && sh_name(*at)) at++;
    sa_value word = { mark + 2, (size_t)(at - mark - 2), 1 };
    if (at == end) return mark;
    int is_type = sa_is(word, "doctype");
    if (!is_type && !sa_is(word, "entity")) return NULL;
    for (;;) {
        at = sh_skip(at, end);
        if (at == end) return mark;
        if (*at == '>') break;
        if (*at == '"' || *at == '\'') {
            at = memchr(at + 1, *at, (size_t)(end - at - 1));
            if (!at) return mark;
            at++;
        } else if (*at == '-') {
            if (at + 1 == end) return mark;
            if (at[1] != '-') return NULL;
            for (at += 2; at + 1 < end && !(at[0] == '-' && at[1] == '-'); at++) { }
            if (at + 1 >= end) return mark;
            at += 2;
        } else {
            while (at < end && !sa_space(*at) && *at != '>') at++;
        }
    }
    if (is_type && sm_mode(p) != SM_IGNORE) { p->s->elements++; p->s->tags++; }
    return at + 1;
}

static const uint8_t *sh_bang(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *at = mark + 2, *found = NULL;
    if (at < p->end && *at == '-') {
        if (at + 1 == p->end) return mark;
        if (at[1] == '-') return sh_dashes(p, mark);
    } else if (at < p->end && *at == '[') {
        found = sh_marked(p, mark);
    } else if (at < p->end && (*at | 32) >= 'a' && (*at | 32) <= 'z') {
        found = sh_declaration(p, mark);
    }
    return found ? found : sh_until(p, mark, at);
}

static const uint8_t *sh_markup(sa_parser *p, const uint8_t *mark)
{
    uint8_t c = mark[1];
    if (sh_first(c)) return sh_start(p, mark);
    if (c == '/') return sh_end(p, mark);
    if (c == '!') return sh_bang(p, mark);
    if (c != '?') return NULL;
    const uint8_t *stop = memchr(mark, '>', (size_t)(p->end - mark));
    return stop ? stop + 1 : mark;
}

/* The content of a literal element from `from`: behind its end tag, or `from` when there is none. */
static const uint8_t *sh_literal(sa_parser *p, const uint8_t *from)
{
    const uint8_t *end = p->end, *at = from;
    size_t n = (size_t)SA_LITERAL[p->literal].size;
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        sa_value word = { at + 2, n, 1 };
        if (p->literal != SL_PLAINTEXT && (size_t)(end - at) >= n + 2 && at[1] == '/' && sa_is(word, SA_LITERAL[p->literal].name)) {
            const uint8_t *stop = sh_skip(at + 2 + n, end);
            if (stop < end && *stop == '>') {
                sh_text(p, from, at);
                sa_end_tag(p->s, at + 2, n);
                p->literal = -1;
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
            p->n_marked--;
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
            p->n_marked--;
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
static void sh_rest(sa_parser *p, const uint8_t *from)
{
    int pending = -1, again = 0;
    while (from < p->end) {
        if (p->literal >= 0) {
            if (p->literal == SL_SCRIPT || p->literal == SL_STYLE) {  /* SpamAssassin closes these itself */
                sh_text(p, from, p->end);
                sa_end_tag(p->s, (const uint8_t *)SA_LITERAL[p->literal].name, (size_t)SA_LITERAL[p->literal].size);
                return;
            }
            if (p->literal != SL_TITLE || ++again > SA_MAX_AGAIN) break;
            pending = p->literal;
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
    if (pending >= 0) sa_end_tag(p->s, (const uint8_t *)SA_LITERAL[pending].name, (size_t)SA_LITERAL[pending].size);
}

static void sa_run(sa_state *s)
{
    sa_parser p;
    memset(&p, 0, sizeof(p));
    p.s = s;
    p.end = s->data + s->size;
    p.literal = -1;
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
