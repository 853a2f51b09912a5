/* Building a compiled set of literals (literals.h): passes and classes, tables, one block of bytes. Windows are chosen
   by literals_choose.h. Patterns come from rule authors; their sizes are checked by the caller. */
#ifndef MXWARD_LITERALS_BUILD_H
#define MXWARD_LITERALS_BUILD_H

#include "literals_choose.h"

static uint32_t lit_bits_for(uint64_t items, unsigned low, unsigned high)
{
    unsigned bits = low;
    while (bits < high && (1ULL << bits) < items)
        bits++;
    return bits;
}

static uint64_t lit_round(uint64_t size)
{
    return (size + LIT_ALIGN - 1) / LIT_ALIGN * LIT_ALIGN;
}

/* Passes and classes: which there are, and how many patterns each has. */
static void lit_shape(LitPlan *plan, const LitSource *sources, uint32_t n)
{
    uint32_t shortest = LIT_MAX_SIZE, n_long = 0;
    for (uint32_t i = 0; i < n; i++)
        if (sources[i].size >= 4) {
            shortest = sources[i].size < shortest ? sources[i].size : shortest;
            n_long++;
        }
    for (uint32_t g = 0; g < LIT_MAX_PASSES; g++) {
        LitPass *pass = &plan->groups[g].pass;
        pass->q = 4 - g;
        pass->factor = LIT_HASH;
        pass->stride = g == 0 && shortest >= 5 && n_long <= 300000 ? 2 : 1;
        pass->n_classes = g == 0 ? 3 : 1;
        pass->classes[0].q = pass->q;
        pass->classes[1].q = 5;
        pass->classes[2].q = 7;
    }
    for (uint32_t i = 0; i < n; i++) {
        LitGroup *group = plan->groups + lit_group_of(sources[i].size);
        group->n[lit_class_of(&group->pass, sources[i].size)]++;
    }
}

static void lit_put(
    LitPlan *plan, const LitGroup *group, uint32_t class, const LitSource *source, uint32_t number, uint32_t offset,
    LitDraft *draft)
{
    const unsigned q = group->pass.classes[class].q;
    for (uint32_t k = 0; k < group->pass.stride; k++) {
        draft[k] = (LitDraft){lit_window(source, offset + k, q), number, (uint16_t)(offset + k)};
        plan->crowd[draft[k].hash >> (32 - LIT_COUNT_BITS)]++;
        if (q >= 4) {
            const uint32_t key = lit_first_key(source->data + offset + k);
            plan->firsts[key >> 3] |= (uint8_t)(1u << (key & 7));
        }
    }
}

static void lit_draft(LitPlan *plan, const LitSource *source, uint32_t number)
{
    LitGroup *group = plan->groups + lit_group_of(source->size);
    const uint32_t class = lit_class_of(&group->pass, source->size);
    const uint32_t offset = lit_choose(plan, source, group->pass.classes[class].q, group->pass.stride);
    LitClass *into = group->pass.classes + class;
    lit_put(plan, group, class, source, number, offset, group->drafts[class] + into->n_entries);
    into->n_entries += group->pass.stride;
}

/* Patterns whose slot is crowded move their windows to their begin, until no other is in a crowded slot. */
static int lit_anchor(LitPlan *plan, LitGroup *group, uint32_t class, const LitSource *sources)
{
    const LitClass *into = group->pass.classes + class;
    const uint32_t stride = group->pass.stride, shift = 32 - into->slot_bits;
    LitDraft *drafts = group->drafts[class];
    uint32_t *counts = malloc((1ULL << into->slot_bits) * sizeof(uint32_t));
    int moved = 1;
    if (counts == NULL)
        return 0;
    for (int round = 0; moved; round++) { /* ends: each round moves at least one pattern, none twice; the last all */
        const uint32_t bound = round < LIT_ROUNDS ? LIT_CROWD : 0;
        moved = 0;
        memset(counts, 0, (1ULL << into->slot_bits) * sizeof(uint32_t));
        for (uint32_t i = 0; i < into->n_entries; i++)
            counts[drafts[i].hash >> shift]++;
        for (uint32_t i = 0; i < into->n_entries; i += stride) {
            uint32_t most = 0;
            for (uint32_t k = 0; k < stride; k++)
                most = counts[drafts[i + k].hash >> shift] > most ? counts[drafts[i + k].hash >> shift] : most;
            if (most <= bound || drafts[i].before == 0)
                continue;
            lit_put(plan, group, class, sources + drafts[i].number, drafts[i].number, 0, drafts + i);
            moved = 1;
        }
    }
    free(counts);
    return 1;
}

static void lit_free_plan(LitPlan *plan)
{
    for (int g = 0; g < LIT_MAX_PASSES; g++)
        for (int c = 0; c < LIT_MAX_CLASSES; c++)
            free(plan->groups[g].drafts[c]);
    free(plan->crowd);
    free(plan->firsts);
    free(plan->pool_at);
}

/* Bits of a bitmap for n things: sixteen each, more while it stays small. */
static uint32_t lit_bitmap_bits(uint64_t n)
{
    const uint32_t few = lit_bits_for(n * 16, 9, 26), many = lit_bits_for(n * 64, 9, 18);
    return few > many ? few : many;
}

/* How many different hashes the first step has to know; UINT32_MAX when out of memory. */
static uint32_t lit_distinct(const LitGroup *group, const LitSource *sources)
{
    uint8_t *bits = calloc(1u << 21, 1);
    uint32_t n = 0;
    if (bits == NULL)
        return LIT_NONE;
    for (uint32_t c = 0; c < group->pass.n_classes; c++)
        for (uint32_t i = 0; i < group->pass.classes[c].n_entries; i++) {
            const LitDraft *draft = group->drafts[c] + i;
            const uint32_t bit = lit_first_hash(&group->pass, sources + draft->number, draft) >> 8;
            n += !(bits[bit >> 3] >> (bit & 7) & 1);
            bits[bit >> 3] |= (uint8_t)(1u << (bit & 7));
        }
    free(bits);
    return n;
}

/* Give the tables of a pass their places in the block. Returns 0 when out of memory. */
static int lit_lay_out(LitPlan *plan, LitGroup *group, const LitSource *sources)
{
    LitPass *pass = &group->pass;
    uint32_t n_distinct, kept = 0;
    for (uint32_t c = 0; c < pass->n_classes; c++) { /* classes without patterns go */
        if (group->n[c] == 0)
            continue;
        LitDraft *drafts = group->drafts[c];
        group->drafts[c] = group->drafts[kept];
        group->drafts[kept] = drafts;
        pass->classes[kept] = pass->classes[c];
        group->n[kept++] = group->n[c];
    }
    memset(pass->classes + kept, 0, (LIT_MAX_CLASSES - kept) * sizeof(LitClass));
    pass->n_classes = kept;
    n_distinct = lit_distinct(group, sources);
    if (n_distinct == LIT_NONE)
        return 0;
    pass->bitmap_bits = lit_bitmap_bits(n_distinct);
    pass->bitmap = plan->size;
    plan->size += lit_round((1ULL << pass->bitmap_bits) / 8);
    for (uint32_t c = 0; c < kept; c++) {
        LitClass *class = pass->classes + c;
        class->bitmap_bits = lit_bitmap_bits(class->n_entries);
        class->slot_bits = lit_bits_for((uint64_t)class->n_entries * 2, 4, 26);
        if (!lit_anchor(plan, group, c, sources))
            return 0;
        class->bitmap = plan->size;
        plan->size += lit_round((1ULL << class->bitmap_bits) / 8);
        class->slots = plan->size;
        plan->size += lit_round(((1ULL << class->slot_bits) + 1) * 4);
        class->entries = plan->size;
        plan->size += lit_round((uint64_t)class->n_entries * sizeof(LitEntry));
    }
    return 1;
}

/* Choose windows and lay the block out: plan->size is what lit_fill will write. Returns 0 when out of memory. */
static int lit_plan(LitPlan *plan, const LitSource *sources, uint32_t n)
{
    memset(plan, 0, sizeof(*plan));
    lit_shape(plan, sources, n);
    plan->crowd = calloc(1u << LIT_COUNT_BITS, sizeof(uint32_t));
    plan->firsts = calloc(1u << (LIT_FIRST_BITS - 3), 1);
    plan->pool_at = malloc(((size_t)n + 1) * sizeof(uint32_t));
    if (plan->crowd == NULL || plan->firsts == NULL || plan->pool_at == NULL)
        return 0;
    for (int g = 0; g < LIT_MAX_PASSES; g++)
        for (int c = 0; c < LIT_MAX_CLASSES; c++) {
            LitGroup *group = plan->groups + g;
            group->drafts[c] = malloc(((size_t)group->n[c] * group->pass.stride + 1) * sizeof(LitDraft));
            if (group->drafts[c] == NULL)
                return 0;
        }
    for (uint32_t i = 0; i < n; i++) {
        plan->pool_at[i] = (uint32_t)plan->pool_size;
        plan->pool_size += sources[i].size;
        lit_draft(plan, sources + i, i);
    }
    plan->size = lit_round(sizeof(LitHead)) + lit_round(plan->pool_size + 8);
    for (int g = 0; g < LIT_MAX_PASSES; g++) {
        LitGroup *group = plan->groups + g;
        if (group->n[0] + group->n[1] + group->n[2] > 0 && !lit_lay_out(plan, group, sources))
            return 0;
    }
    return 1;
}

/* The entry of a window. */
static LitEntry lit_entry(const LitPlan *plan, const LitSource *source, const LitDraft *draft)
{
    const uint32_t width = source->size < 8 ? source->size : 8, before = draft->before;
    const uint32_t back = before > source->size - width ? before - (source->size - width) : 0;
    const uint8_t *at = source->data + before - back;
    LitEntry entry = {
        .number = draft->number, .at = plan->pool_at[draft->number], .size = (uint16_t)source->size,
        .before = (uint16_t)before, .back = (uint8_t)back, .flags = source->flags,
        .is_whole = source->size <= 8 && !(source->flags & LIT_WORD)};
    entry.mask = lit_low_bytes(width);
    for (uint32_t i = 0; source->flags & LIT_CASELESS && i < width; i++)
        if (lit_lower(at[i]) != at[i] || (uint8_t)(at[i] - 'a') < 26)
            entry.mask &= ~(0x20ULL << (8 * i));
    entry.want = lit_peek(at, width) & entry.mask;
    return entry;
}

/* The order of a crowded slot: by before and case, then by bytes as they stand in the pool. */
static int lit_crowd_order(const LitEntry *a, const LitEntry *b, const uint8_t *pool)
{
    const int case_a = a->flags & LIT_CASELESS, case_b = b->flags & LIT_CASELESS;
    int order;
    if (a->before != b->before)
        return a->before < b->before ? -1 : 1;
    if (case_a != case_b)
        return case_a < case_b ? -1 : 1;
    order = memcmp(pool + a->at, pool + b->at, a->size < b->size ? a->size : b->size);
    if (order != 0)
        return order;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Merge sort of n entries; `room` holds as many. */
static void lit_sort(LitEntry *entries, uint32_t n, LitEntry *room, const uint8_t *pool)
{
    const uint32_t half = n / 2;
    uint32_t i = 0, k = half, out = 0;
    if (n < 2)
        return;
    lit_sort(entries, half, room, pool);
    lit_sort(entries + half, n - half, room, pool);
    memcpy(room, entries, (size_t)n * sizeof(LitEntry));
    while (out < n)
        entries[out++] = k == n || (i < half && lit_crowd_order(room + i, room + k, pool) <= 0) ? room[i++] : room[k++];
}

/* Is the pattern of `a` the begin of that of `b`, both in one group? */
static int lit_is_prefix(const LitEntry *a, const LitEntry *b, const uint8_t *pool)
{
    return a->before == b->before && !((a->flags ^ b->flags) & LIT_CASELESS) && a->size <= b->size &&
           memcmp(pool + a->at, pool + b->at, a->size) == 0;
}

static uint32_t lit_alike(const LitEntry *a, const LitEntry *b, const uint8_t *pool)
{
    const size_t size = a->size < b->size ? a->size : b->size;
    return (uint32_t)lit_common(pool + a->at, pool + b->at, 0, size, 0);
}

/* What lit_search wants to know of entries low to high - 1; below and above are next to them, or LIT_NONE. */
static void lit_note_common(
    LitEntry *entries, uint32_t low, uint32_t high, uint32_t below, uint32_t above, const uint8_t *pool)
{
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        LitEntry *entry = entries + middle;
        entry->want = below == LIT_NONE ? 0 : lit_alike(entries + below, entry, pool);
        entry->want |= (uint64_t)(above == LIT_NONE ? 0 : lit_alike(entry, entries + above, pool)) << 16;
        lit_note_common(entries, low, middle, below, middle, pool);
        low = middle + 1;
        below = middle;
    }
}

/* Sort a crowded slot and link its chains. first: number of its first entry, as parents are known by. */
static void lit_link(LitEntry *entries, uint32_t first, uint32_t n, LitEntry *room, const uint8_t *pool)
{
    lit_sort(entries + first, n, room, pool);
    for (uint32_t i = first; i < first + n; i++) {
        uint32_t parent = i > first ? i - 1 : LIT_NONE;
        while (parent != LIT_NONE && !lit_is_prefix(entries + parent, entries + i, pool))
            parent = (uint32_t)entries[parent].mask;
        entries[i].mask = parent;
        if (!(entries[i].flags & LIT_WORD) && (parent == LIT_NONE || entries[parent].flags & LIT_PLAIN))
            entries[i].flags |= LIT_PLAIN;
    }
    for (uint32_t i = first, next; i < first + n; i = next) {
        next = lit_group_end(entries, i, first + n);
        lit_note_common(entries, i, next, LIT_NONE, LIT_NONE, pool);
    }
}

static int lit_fill_class(
    const LitPlan *plan, const LitSource *sources, LitClass *class, const LitDraft *drafts, uint8_t *block,
    uint64_t pool)
{
    uint32_t *slots = (uint32_t *)(block + class->slots);
    LitEntry *entries = (LitEntry *)(block + class->entries), *room = NULL;
    const uint32_t n_slots = 1u << class->slot_bits, shift = 32 - class->slot_bits;
    for (uint32_t i = 0; i < class->n_entries; i++) {
        const uint32_t bit = drafts[i].hash >> (32 - class->bitmap_bits);
        block[class->bitmap + (bit >> 3)] |= (uint8_t)(1u << (bit & 7));
        slots[drafts[i].hash >> shift]++;
    }
    for (uint32_t slot = 0, sum = 0; slot <= n_slots; slot++) { /* counts become ends, filling makes them begins */
        if (slot < n_slots && slots[slot] > class->crowd)
            class->crowd = slots[slot];
        sum += slot < n_slots ? slots[slot] : 0;
        slots[slot] = sum;
    }
    for (uint32_t i = class->n_entries; i-- > 0;)
        entries[--slots[drafts[i].hash >> shift]] = lit_entry(plan, sources + drafts[i].number, drafts + i);
    if (class->crowd <= LIT_CROWD)
        return 1;
    room = malloc((size_t)class->crowd * sizeof(LitEntry));
    if (room == NULL)
        return 0;
    for (uint32_t slot = 0; slot < n_slots; slot++)
        if (slots[slot + 1] - slots[slot] > LIT_CROWD)
            lit_link(entries, slots[slot], slots[slot + 1] - slots[slot], room, block + pool);
    free(room);
    return 1;
}

static int lit_fill_pass(const LitPlan *plan, const LitSource *sources, LitGroup *group, uint8_t *block, uint64_t pool)
{
    LitPass *pass = &group->pass;
    uint32_t n_drafts = 0;
    for (uint32_t c = 0; c < pass->n_classes; c++) {
        n_drafts += pass->classes[c].n_entries;
        if (!lit_fill_class(plan, sources, pass->classes + c, group->drafts[c], block, pool))
            return 0;
    }
    lit_choose_factor(group, sources, n_drafts, block + pass->bitmap);
    lit_fill_sets(group, sources, n_drafts);
    return 1;
}

/* Write the block of plan->size zero bytes. Returns 0 when out of memory. */
static int lit_fill(LitPlan *plan, const LitSource *sources, uint32_t n, uint8_t *block)
{
    LitHead *head = (LitHead *)block;
    head->magic = LIT_MAGIC;
    head->size = plan->size;
    head->n = n;
    head->pool = lit_round(sizeof(LitHead));
    head->pool_size = plan->pool_size;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *to = block + head->pool + plan->pool_at[i];
        for (uint32_t k = 0; k < sources[i].size; k++)
            to[k] = sources[i].flags & LIT_CASELESS ? lit_lower(sources[i].data[k]) : sources[i].data[k];
    }
    for (int g = 0; g < LIT_MAX_PASSES; g++) {
        LitGroup *group = plan->groups + g;
        if (group->pass.bitmap == 0)
            continue;
        if (!lit_fill_pass(plan, sources, group, block, head->pool))
            return 0;
        head->passes[head->n_passes++] = group->pass;
    }
    head->sum = lit_sum(block + 24, plan->size - 24);
    return 1;
}

#endif
