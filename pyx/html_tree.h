/* The open elements of a document, bounded, with the style that holds in each.
 *
 * Enough of the tree construction of HTML that the words between two tags get the style a browser gives them: void
 * elements, start tags that close elements, barriers of tables, formatting elements that go on behind the end of the
 * block they began in. Elements nested deeper than HT_DEPTH share the style of the deepest. Source: WHATWG HTML 13.2.6. */
#ifndef MXWARD_HTML_TREE_H
#define MXWARD_HTML_TREE_H

#include "html_tag.h"

#define HT_DEPTH 200

typedef struct {
    uint64_t key;         /* of its tag */
    const ht_info *info;
    hs_computed c;        /* what holds inside */
} ht_element;

typedef struct {
    ht_element open[HT_DEPTH];
    hs_style own[HT_DEPTH];        /* what each declares itself; only `set` is valid when it is 0 */
    int depth;                     /* open[0] is the document and is never closed */
    size_t beyond;                 /* elements open above HT_DEPTH */
    int pending;                   /* topmost formatting elements that go on inside whatever begins next */
    int count[HT_IDS];             /* open elements by ht_id */
    int quirks;                    /* no doctype that asks for standards: tables take no fonts and colours over */
    uint32_t body_colour;
} ht_tree;

static const ht_info HT_DOCUMENT = { "", HT_WALL, HD_BLOCK, HT_BARRIER };

static void ht_plant(ht_tree *t)
{
    t->open[0] = (ht_element){ 0, &HT_DOCUMENT, { 0, 0x000000, 0xffffff, 16, 0 } };
    t->own[0].set = 0;
    t->depth = 1;
    t->beyond = 0;
    t->pending = 0;
    memset(t->count, 0, sizeof(t->count));
    t->quirks = 1;
    t->body_colour = 0x000000;
}

static inline const hs_computed *ht_top(const ht_tree *t) { return &t->open[t->depth - 1].c; }

/* Compute what holds in element `i` from its parent and its own declarations. */
static void ht_settle(ht_tree *t, int i)
{
    ht_element *e = &t->open[i];
    const hs_computed *parent = &t->open[i - 1].c;
    hs_computed base = *parent;
    if (e->info->id == HT_TABLE && t->quirks) {
        base.font = 16;
        base.colour = t->body_colour;
        base.is_indented = 0;
    }
    if (e->info->is & HT_UNSHOWN) base.flags |= HS_NONE;
    if (e->info->is & HT_ASIDE) base.flags |= HS_ASIDE;
    if (e->info->id == HT_WALL) base.flags |= HS_ASIDE;
    hs_compute(&e->c, &base, &t->own[i], e->info->display);
    if (e->info->id == HT_BODY) t->body_colour = e->c.colour;
}

/* Open an element; `own` may be NULL. */
static void ht_push(ht_tree *t, uint64_t key, const ht_info *info, const hs_style *own)
{
    if (t->depth >= HT_DEPTH) { t->beyond++; return; }
    int place = t->depth++;
    if (t->pending && (info->is & HT_BARRIER)) {  /* cells do not take them over */
        place -= t->pending;
        for (int i = place; i < place + t->pending; i++) t->count[t->open[i].info->id]--;
        t->depth = place + 1;
    } else if (t->pending && !(info->is & (HT_INLINE | HT_FORMAT))) {  /* they go on inside the block */
        for (int i = 0; i < t->pending; i++, place--) {
            t->open[place] = t->open[place - 1];
            if (t->own[place - 1].set) t->own[place] = t->own[place - 1]; else t->own[place].set = 0;
        }
    } else t->pending = 0;
    t->open[place].key = key;
    t->open[place].info = info;
    if (own != NULL && own->set) t->own[place] = *own; else t->own[place].set = 0;
    t->count[info->id]++;
    for (; place < t->depth; place++) ht_settle(t, place);
    if (info->is & HT_BARRIER) t->pending = 0;
}

/* Close element `i` and those inside it; formatting elements among these are kept when `keep` is set. */
static void ht_cut(ht_tree *t, int i, int keep)
{
    int to = i;
    t->pending = 0;
    for (int from = i; from < t->depth; from++) {
        ht_element *e = &t->open[from];
        if (keep && from > i && (e->info->is & HT_FORMAT)) {
            t->open[to] = *e;
            if (t->own[from].set) t->own[to] = t->own[from]; else t->own[to].set = 0;
            ht_settle(t, to++);
            t->pending++;
        } else t->count[e->info->id]--;
    }
    t->depth = to;
}

/* Take one formatting element out; those inside it stay. */
static void ht_lift(ht_tree *t, int i)
{
    t->count[t->open[i].info->id]--;
    t->pending -= i >= t->depth - t->pending;
    for (int at = i; at + 1 < t->depth; at++) {
        t->open[at] = t->open[at + 1];
        if (t->own[at + 1].set) t->own[at] = t->own[at + 1]; else t->own[at].set = 0;
        ht_settle(t, at);
    }
    t->depth--;
}

/* Close the nearest open element with that id, unless `stop`, `stop2` or a wall stands before it. */
static void ht_close_id(ht_tree *t, int id, int stop, int stop2, int keep)
{
    if (t->count[id] == 0) return;
    for (int i = t->depth - 1; i > 0; i--) {
        int here = t->open[i].info->id;
        if (here == id) {
            if (id == HT_A) ht_lift(t, i); else ht_cut(t, i, keep);
            return;
        }
        if (here == stop || here == stop2 || here == HT_WALL) return;
    }
}

/* What the start tag of an element closes. */
static void ht_imply(ht_tree *t, const ht_info *info)
{
    if (t->count[HT_HEAD] && !(info->is & HT_HEADISH)) ht_close_id(t, HT_HEAD, HT_TABLE, HT_TABLE, 0);
    if (info->is & HT_ENDS_P) ht_close_id(t, HT_P, HT_TD, HT_TABLE, 1);
    switch (info->id) {
    case HT_TD: ht_close_id(t, HT_TD, HT_TABLE, HT_TABLE, 0); break;
    case HT_TR: ht_close_id(t, HT_TR, HT_TABLE, HT_TABLE, 0); break;
    case HT_TBODY: ht_close_id(t, HT_TBODY, HT_TABLE, HT_TABLE, 0); break;
    case HT_LI: ht_close_id(t, HT_LI, HT_LIST, HT_TD, 1); break;
    case HT_DD: case HT_DT:
        ht_close_id(t, HT_DD, HT_LIST, HT_TD, 1);
        ht_close_id(t, HT_DT, HT_LIST, HT_TD, 1);
        break;
    case HT_A: ht_close_id(t, HT_A, HT_TD, HT_TABLE, 1); break;
    case HT_TABLE: if (!t->quirks) ht_close_id(t, HT_P, HT_TD, HT_TABLE, 1); break;
    default: break;
    }
}

/* An end tag. Without an element that it closes it does nothing; those of body and html never do. */
static void ht_end(ht_tree *t, uint64_t key, const ht_info *info)
{
    if (info->id == HT_BODY || info->id == HT_HTML || (info->is & HT_VOID)) return;
    if (t->beyond) { t->beyond--; return; }
    if (info->id != HT_UNKNOWN && t->count[info->id] == 0) return;
    int through = info->id == HT_TABLE || info->id == HT_TR || info->id == HT_TBODY || info->id == HT_TD;
    for (int i = t->depth - 1; i > 0; i--) {
        const ht_element *e = &t->open[i];
        if (e->key == key) {
            if (info->is & HT_FORMAT) ht_lift(t, i); else ht_cut(t, i, !(info->is & HT_BARRIER) && !through);
            return;
        }
        if (e->info->id == HT_WALL || ((e->info->is & HT_BARRIER) && (!through || e->info->id == HT_TABLE))) return;
    }
}
#endif
