/* Building a compiled set of literals (literals.h): choice of windows, tables, one block of bytes.

   A window is chosen by the work that it is expected to make: how often text holds its bytes (literals_rarity.h) times
   the patterns that already wait there. Patterns come from rule authors; sizes are checked by the caller. */
#ifndef MXWARD_LITERALS_BUILD_H
#define MXWARD_LITERALS_BUILD_H

#include "literals.h"
#include "literals_rarity.h"

enum { LIT_OFFSETS = 32, LIT_COUNT_BITS = 22, LIT_ALIGN = 64 };

typedef struct {
    const uint8_t *data;
    uint32_t size;
    uint8_t flags;
} LitSource;

typedef struct {
    uint32_t hash;
    LitEntry entry;
} LitDraft;

typedef struct {
    uint32_t n; /* patterns */
    LitDraft *drafts;
    LitPass pass;
} LitGroup;

typedef struct {
    LitGroup groups[LIT_MAX_PASSES];
    uint32_t *crowd;    /* patterns by hash of a window they chose */
    uint8_t group_of[7]; /* by class of size */
    float chance[64]; /* 2 to the power of -index */
    uint64_t size;      /* of the whole block */
} LitPlan;

static uint32_t lit_bits_for(uint64_t items, unsigned low, unsigned high)
{
    unsigned bits = low;
    while (bits < high && (1ULL << bits) < items)
        bits++;
    return bits;
}

/* -log2 of how often text holds these four bytes, after folding. */
static unsigned lit_rarity(uint32_t bytes)
{
    const uint32_t i = ((bytes | 0x20202020u) * LIT_HASH) >> (32 - LIT_RARITY_BITS);
    return 7 + (unsigned)(LIT_RARITY[i >> 4] >> (i & 15) * 4 & 15);
}

/* Expected matches of the q bytes at `at` a position of text. With q = 6: of the first four, then the last two. */
static float lit_chance(const LitPlan *plan, const uint8_t *at, unsigned q)
{
    uint32_t first, last;
    unsigned rarity;
    if (q < 4) { /* shorter ones are not counted: as if a space stood behind, which is one of about ten bytes that may */
        first = 0x20202020u;
        memcpy(&first, at, q);
        rarity = lit_rarity(first);
        return plan->chance[rarity > 4 * (4 - q) ? rarity - 4 * (4 - q) + 3 : 3];
    }
    memcpy(&first, at, 4);
    rarity = lit_rarity(first);
    if (q == 6) {
        memcpy(&last, at + 2, 4);
        last = lit_rarity(last);
        rarity = (rarity > last ? rarity : last) + 2;
    }
    return plan->chance[rarity];
}

static uint32_t lit_hash_at(const uint8_t *at, unsigned q)
{
    uint64_t bytes = 0;
    memcpy(&bytes, at, q);
    return lit_window(bytes, q);
}

/* Where the windows of a pattern begin: `stride` of them side by side, so that one falls on each alignment. */
static uint32_t lit_choose(LitPlan *plan, const LitPass *pass, const LitSource *source)
{
    const uint32_t last = source->size - pass->q - pass->stride + 1;
    uint32_t best = 0;
    float least = 0;
    for (uint32_t offset = 0; offset <= last && offset < LIT_OFFSETS; offset++) {
        float work = 0;
        for (uint32_t k = 0; k < pass->stride; k++) {
            const uint8_t *at = source->data + offset + k;
            const uint32_t others = plan->crowd[lit_hash_at(at, pass->q) >> (32 - LIT_COUNT_BITS)];
            work += (lit_chance(plan, at, pass->q) + 1e-7f) * (float)(1 + others);
        }
        if (offset == 0 || work < least) {
            least = work;
            best = offset;
        }
    }
    return best;
}

static void lit_draft(LitPlan *plan, LitGroup *group, const LitSource *source, uint32_t number)
{
    const uint32_t offset = lit_choose(plan, &group->pass, source);
    for (uint32_t k = 0; k < group->pass.stride; k++) {
        const uint8_t *at = source->data + offset + k;
        const uint32_t before = offset + k, width = source->size < 8 ? source->size : 8;
        const uint32_t back = before > source->size - width ? before - (source->size - width) : 0;
        LitDraft *draft = group->drafts + group->pass.n_entries++;
        uint64_t want = 0;
        memcpy(&want, at - back, width);
        draft->hash = lit_hash_at(at, group->pass.q);
        draft->entry = (LitEntry){
            (want | LIT_FOLD8) & lit_mask(width), number, (uint16_t)before, (uint8_t)width, (uint8_t)back};
        plan->crowd[draft->hash >> (32 - LIT_COUNT_BITS)]++;
    }
}

static int lit_draft_order(const void *left, const void *right)
{
    const LitEntry *a = left, *b = right;
    if (lit_shape_of(a) != lit_shape_of(b))
        return lit_shape_of(a) < lit_shape_of(b) ? -1 : 1;
    if (a->want != b->want)
        return a->want < b->want ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void lit_free_plan(LitPlan *plan)
{
    for (int g = 0; g < LIT_MAX_PASSES; g++)
        free(plan->groups[g].drafts);
    free(plan->crowd);
}

/* What a pass can be, by the shortest pattern it serves: q + stride - 1 bytes. */
typedef struct {
    uint8_t q, stride;
} LitShape;

static const LitShape LIT_SHAPES[] = {{6, 4}, {6, 2}, {4, 4}, {4, 2}, {3, 2}, {3, 1}, {2, 1}, {1, 1}};
enum { LIT_N_SHAPES = 8, LIT_CLASSES_OF_SIZE = 6, LIT_SAMPLE = 4096 };
#define LIT_MANY 2.5e6 /* entries of 16 bytes: beyond, memory counts more than speed */

/* Classes of size: a pass serves one or several neighbours. */
static int lit_class_of(uint32_t size)
{
    return size >= 9 ? 0 : size >= 7 ? 1 : size >= 5 ? 2 : size >= 4 ? 3 : size >= 3 ? 4 : size - 1 ? 5 : 6;
}

typedef struct {
    double chance[LIT_CLASSES_OF_SIZE + 1][LIT_N_SHAPES]; /* expected candidates a position, windows well chosen */
    uint32_t n[LIT_CLASSES_OF_SIZE + 1];
} LitForecast;

/* Windows of one pattern by every shape it is long enough for. `weight` is what a sampled pattern stands for. */
static void lit_forecast(const LitPlan *plan, LitForecast *forecast, const LitSource *source, double weight)
{
    const int class = lit_class_of(source->size);
    for (int s = 0; s < LIT_N_SHAPES; s++) {
        const uint32_t q = LIT_SHAPES[s].q, stride = LIT_SHAPES[s].stride;
        float least = 2;
        if (source->size < q + stride - 1)
            continue;
        for (uint32_t offset = 0; offset + q + stride - 1 <= source->size && offset < LIT_OFFSETS; offset++) {
            float sum = 0;
            for (uint32_t k = 0; k < stride; k++)
                sum += lit_chance(plan, source->data + offset + k, q);
            if (sum < least)
                least = sum;
        }
        forecast->chance[class][s] += least * weight;
    }
}

/* Cycles a byte of a pass over classes [from, to] by its best shape, put in *shape. Figures of one processor. */
static double lit_cost(const LitForecast *forecast, int from, int to, int *shape)
{
    static const uint8_t shortest[LIT_CLASSES_OF_SIZE + 1] = {9, 7, 5, 4, 3, 2, 1};
    double best = 1e30;
    uint32_t n = 0;
    int last = from;
    for (int c = from; c <= to; c++) {
        n += forecast->n[c];
        if (forecast->n[c])
            last = c;
    }
    if (n == 0)
        return 0;
    for (int s = 0; s < LIT_N_SHAPES; s++) {
        const uint32_t q = LIT_SHAPES[s].q, stride = LIT_SHAPES[s].stride;
        const double entries = (double)n * stride;
        double rate = 0, probe = (q == 6 ? 2.6 : 2.0) + (entries > 4096 ? 1 : 0) + (entries > 65536 ? 3 : 0);
        double candidate, cost;
        if (q + stride - 1 > shortest[last] || entries > LIT_MANY)
            continue;
        for (int c = from; c <= to; c++)
            rate += forecast->chance[c][s];
        rate = rate * 2 + 1.0 / 64; /* texts differ from those that were counted; the bitmap errs */
        /* cycles: more when slots and entries leave the cache */
        candidate = 35 + (entries > 4096 ? 15 : 0) + (entries > 65536 ? 30 : 0);
        cost = (probe + rate / (1 + rate) * candidate + rate * 8) / stride;
        if (cost < best) {
            best = cost;
            *shape = s;
        }
    }
    return best;
}

/* Split the classes of size into passes, and give each its shape, so that the forecast cost is least. */
static void lit_shape(LitPlan *plan, const LitSource *sources, uint32_t n)
{
    LitForecast forecast;
    const uint32_t step = n / LIT_SAMPLE + 1;
    double best = 1e30;
    memset(&forecast, 0, sizeof(forecast));
    for (uint32_t i = 0; i < n; i++)
        forecast.n[lit_class_of(sources[i].size)]++;
    for (uint32_t i = 0; i < n; i += step)
        lit_forecast(plan, &forecast, sources + i, (double)step);
    for (unsigned cuts = 0; cuts < 1u << LIT_CLASSES_OF_SIZE; cuts++) { /* bit c: a pass ends after class c */
        double cost = 0;
        int shapes[LIT_MAX_PASSES], group = 0;
        if (__builtin_popcount(cuts) >= LIT_MAX_PASSES)
            continue;
        for (int c = 0, from = 0; c <= LIT_CLASSES_OF_SIZE; c++)
            if (c == LIT_CLASSES_OF_SIZE || cuts >> c & 1) {
                shapes[group] = LIT_N_SHAPES - 1;
                cost += lit_cost(&forecast, from, c, shapes + group++);
                from = c + 1;
            }
        if (cost >= best)
            continue;
        best = cost;
        for (int c = 0, g = 0; c <= LIT_CLASSES_OF_SIZE; c++) {
            plan->group_of[c] = (uint8_t)g;
            g += c < LIT_CLASSES_OF_SIZE && (cuts >> c & 1);
        }
        for (int g = 0; g < group; g++)
            plan->groups[g].pass = (LitPass){.q = LIT_SHAPES[shapes[g]].q, .stride = LIT_SHAPES[shapes[g]].stride};
    }
    for (uint32_t i = 0; i < n; i++)
        plan->groups[plan->group_of[lit_class_of(sources[i].size)]].n++;
}

/* Choose windows and lay the block out: plan->size is what lit_fill will write. Returns 0 when out of memory. */
static int lit_plan(LitPlan *plan, const LitSource *sources, uint32_t n)
{
    uint64_t pool = 0;
    memset(plan, 0, sizeof(*plan));
    plan->chance[0] = 1;
    for (int i = 1; i < 64; i++)
        plan->chance[i] = plan->chance[i - 1] * 0.5f;
    lit_shape(plan, sources, n);
    plan->crowd = calloc(1u << LIT_COUNT_BITS, sizeof(uint32_t));
    if (plan->crowd == NULL)
        return 0;
    for (int g = 0; g < LIT_MAX_PASSES; g++) {
        LitGroup *group = plan->groups + g;
        group->drafts = malloc(((size_t)group->n * group->pass.stride + 1) * sizeof(LitDraft));
        if (group->drafts == NULL)
            return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        pool += sources[i].size;
        lit_draft(plan, plan->groups + plan->group_of[lit_class_of(sources[i].size)], sources + i, i);
    }
    plan->size = (sizeof(LitHead) + LIT_ALIGN - 1) / LIT_ALIGN * LIT_ALIGN;
    plan->size += ((uint64_t)n * sizeof(LitPattern) + LIT_ALIGN - 1) / LIT_ALIGN * LIT_ALIGN;
    plan->size += (pool + LIT_ALIGN - 1) / LIT_ALIGN * LIT_ALIGN;
    for (int g = 0; g < LIT_MAX_PASSES; g++) {
        LitPass *pass = &plan->groups[g].pass;
        if (plan->groups[g].n == 0)
            continue;
        pass->bitmap_bits = lit_bits_for((uint64_t)pass->n_entries * 64, 10, 27);
        pass->slot_bits = lit_bits_for((uint64_t)pass->n_entries * 2, 4, 26);
        pass->bitmap = plan->size;
        plan->size += (1ULL << pass->bitmap_bits) / 8;
        pass->slots = plan->size;
        plan->size += (((1ULL << pass->slot_bits) + 1) * 4 + LIT_ALIGN - 1) / LIT_ALIGN * LIT_ALIGN;
        pass->entries = plan->size;
        plan->size += ((uint64_t)pass->n_entries * sizeof(LitEntry) + LIT_ALIGN - 1) / LIT_ALIGN * LIT_ALIGN;
    }
    return 1;
}

static void lit_fill_pass(LitGroup *group, uint8_t *block)
{
    LitPass *pass = &group->pass;
    uint64_t *bitmap = (uint64_t *)(block + pass->bitmap);
    uint32_t *slots = (uint32_t *)(block + pass->slots);
    LitEntry *entries = (LitEntry *)(block + pass->entries);
    const uint32_t n_slots = 1u << pass->slot_bits;
    for (uint32_t i = 0; i < pass->n_entries; i++) {
        const uint32_t hash = group->drafts[i].hash, bit = hash >> (32 - pass->bitmap_bits);
        bitmap[bit >> 6] |= 1ULL << (bit & 63);
        slots[hash >> (32 - pass->slot_bits)]++;
    }
    for (uint32_t slot = 0, sum = 0; slot <= n_slots; slot++) { /* counts become ends, filling makes them begins */
        sum += slot < n_slots ? slots[slot] : 0;
        slots[slot] = sum;
    }
    for (uint32_t i = pass->n_entries; i-- > 0;)
        entries[--slots[group->drafts[i].hash >> (32 - pass->slot_bits)]] = group->drafts[i].entry;
    for (uint32_t slot = 0; slot < n_slots; slot++) {
        const uint32_t n = slots[slot + 1] - slots[slot];
        if (n > pass->crowd)
            pass->crowd = n;
        if (n > LIT_CROWD)
            qsort(entries + slots[slot], n, sizeof(LitEntry), lit_draft_order);
    }
}

/* A checksum against damage, not against malice: eight bytes a step. The block is padded to eight. */
static uint64_t lit_sum(const uint8_t *at, size_t size)
{
    uint64_t a = 0x243F6A8885A308D3ULL, b = 0x13198A2E03707344ULL;
    for (size_t i = 0; i + 16 <= size; i += 16) {
        a = (a ^ lit_load8(at + i)) * 0x9E3779B97F4A7C15ULL;
        b = (b ^ lit_load8(at + i + 8)) * 0xC2B2AE3D27D4EB4FULL;
        a ^= a >> 29;
        b ^= b >> 31;
    }
    for (size_t i = size & ~(size_t)15; i < size; i++)
        a = (a ^ at[i]) * 0x9E3779B97F4A7C15ULL;
    return a ^ (b << 1) ^ (b >> 63);
}

/* Write the block of plan->size zero bytes. */
static void lit_fill(LitPlan *plan, const LitSource *sources, uint32_t n, uint8_t *block)
{
    LitHead *head = (LitHead *)block;
    LitPattern *patterns;
    uint8_t *pool;
    uint64_t at = 0;
    head->magic = LIT_MAGIC;
    head->size = plan->size;
    head->n = n;
    head->patterns = (sizeof(LitHead) + LIT_ALIGN - 1) / LIT_ALIGN * LIT_ALIGN;
    head->pool = head->patterns + ((uint64_t)n * sizeof(LitPattern) + LIT_ALIGN - 1) / LIT_ALIGN * LIT_ALIGN;
    patterns = (LitPattern *)(block + head->patterns);
    pool = block + head->pool;
    for (uint32_t i = 0; i < n; i++) {
        patterns[i] = (LitPattern){(uint32_t)at, (uint16_t)sources[i].size, sources[i].flags, 0};
        for (uint32_t k = 0; k < sources[i].size; k++)
            pool[at + k] = sources[i].flags & LIT_CASELESS ? lit_lower(sources[i].data[k]) : sources[i].data[k];
        at += sources[i].size;
    }
    head->pool_size = at;
    for (int g = 0; g < LIT_MAX_PASSES; g++)
        if (plan->groups[g].n > 0) {
            lit_fill_pass(plan->groups + g, block);
            head->passes[head->n_passes++] = plan->groups[g].pass;
        }
    head->sum = lit_sum(block + 24, plan->size - 24);
}

/* Is [at, at + size) inside a block of `total` bytes, and `at` aligned? */
static int lit_inside(uint64_t at, uint64_t size, uint64_t total)
{
    return at % 8 == 0 && at <= total && size <= total - at;
}

static int lit_is_valid_pass(const LitHead *head, const LitPass *pass, const LitPattern *patterns)
{
    const uint8_t *base = (const uint8_t *)head;
    const uint32_t *slots;
    const LitEntry *entries;
    const unsigned shape = pass->q * 8 + pass->stride;
    int is_known = 0;
    for (int s = 0; s < LIT_N_SHAPES; s++)
        is_known |= shape == LIT_SHAPES[s].q * 8u + LIT_SHAPES[s].stride;
    if (!is_known)
        return 0;
    if (pass->bitmap_bits < 6 || pass->bitmap_bits > 27 || pass->slot_bits < 1 || pass->slot_bits > 26)
        return 0;
    if (!lit_inside(pass->bitmap, (1ULL << pass->bitmap_bits) / 8, head->size) ||
        !lit_inside(pass->slots, ((1ULL << pass->slot_bits) + 1) * 4, head->size) ||
        !lit_inside(pass->entries, (uint64_t)pass->n_entries * sizeof(LitEntry), head->size))
        return 0;
    slots = (const uint32_t *)(base + pass->slots);
    entries = (const LitEntry *)(base + pass->entries);
    for (uint32_t i = 0; i < 1u << pass->slot_bits; i++)
        if (slots[i] > slots[i + 1])
            return 0;
    if (slots[1u << pass->slot_bits] != pass->n_entries)
        return 0;
    for (uint32_t i = 0; i < pass->n_entries; i++)
        if (entries[i].number >= head->n || entries[i].n_want < 1 || entries[i].n_want > 8 ||
            entries[i].back > 7 || entries[i].before >= patterns[entries[i].number].size)
            return 0;
    return 1;
}

/* May this block, aligned to eight bytes, be scanned with? Whatever it holds, nothing outside it is read. */
static int lit_is_valid(const uint8_t *block, size_t size)
{
    const LitHead *head = (const LitHead *)block;
    const LitPattern *patterns;
    if (size < sizeof(LitHead) || head->magic != LIT_MAGIC || head->size != size || head->n_passes > LIT_MAX_PASSES)
        return 0;
    if (!lit_inside(head->patterns, (uint64_t)head->n * sizeof(LitPattern), size) ||
        !lit_inside(head->pool, head->pool_size, size) || head->sum != lit_sum(block + 24, size - 24))
        return 0;
    patterns = (const LitPattern *)(block + head->patterns);
    for (uint32_t i = 0; i < head->n; i++)
        if (patterns[i].size == 0 || patterns[i].at > head->pool_size ||
            patterns[i].size > head->pool_size - patterns[i].at)
            return 0;
    for (uint32_t i = 0; i < head->n_passes; i++)
        if (!lit_is_valid_pass(head, head->passes + i, patterns))
            return 0;
    return 1;
}

#endif
