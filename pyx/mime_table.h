/* Part table, field index and anomalies of one message: layout, growth and limits. No parsing here. */
#ifndef MXWARD_MIME_TABLE_H
#define MXWARD_MIME_TABLE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mime_anomaly.h"

/* The same numbers as core/limits.py (a test holds them equal); pyx may not import core. */
enum {
    MIME_MAX_PARTS = 1000,
    MIME_MAX_DEPTH = 100,
    MIME_MAX_FIELDS = 1000,
    MIME_MAX_HEADER_BYTES = 262144,
    MIME_MAX_LINE_BYTES = 998,
    MIME_MAX_PARAMETERS = 100,
    MIME_MAX_READINGS = 8,
};
enum { MIME_MAX_BUFFERS = 64, MIME_MAX_BOUNDARY = 1024, MIME_MAX_TASKS = 64 };

enum { KIND_LEAF, KIND_MULTIPART, KIND_MESSAGE };
enum { TOP_OTHER, TOP_TEXT, TOP_MULTIPART, TOP_MESSAGE };
enum {
    ENC_7BIT, ENC_8BIT, ENC_BINARY, ENC_BASE64, ENC_QP, ENC_UU, ENC_YENC, ENC_BINHEX, ENC_GZIP64, ENC_UNKNOWN, ENC_COUNT
};
/* What a row is, beside an entity with a header of its own. */
enum { ROW_ENTITY, ROW_BLOCK };

typedef struct { /* one header field; offsets into the buffer of its part */
    uint32_t line;     /* first byte of the line */
    uint32_t name_end; /* behind the last byte of the name */
    uint32_t value;    /* behind colon and white space */
    uint32_t end;      /* behind the line end of the last folded line */
} MimeField;

typedef struct { /* one row of the part table */
    uint32_t head, body, end; /* header fields [head, body), body [body, end); head <= body <= end <= buffer size */
    uint32_t type, type_end;  /* "type/subtype" as written; equal when absent or invalid */
    uint32_t field, n_fields; /* run of rows in the field index */
    uint64_t seen[2];         /* anomalies already noted for this part, one bit a code */
    int32_t parent;           /* row of the enclosing part, -1 for the message */
    int32_t f_type, f_enc, f_disp; /* rows in the field index, -1 when absent */
    uint16_t depth;
    uint16_t reading;
    uint16_t buffer; /* 0 the received message, above 0 a decoded container */
    uint8_t kind, top, enc, mode, row;
    uint16_t other_enc; /* encodings that some clients would apply instead, one bit each */
    uint8_t has_split;  /* a further reading found parts in it */
    uint8_t digest; /* multipart/digest: children default to message/rfc822 */
} MimePart;

typedef struct {
    uint32_t part, offset;
    uint32_t code;
} MimeAnomaly;

typedef struct { /* decoded container that holds further entities */
    uint8_t* data;
    uint32_t size;
    int32_t part; /* the row whose content it is */
} MimeBuffer;

typedef struct { /* a further pass to make over the body of `part` */
    const uint8_t* boundary; /* in a scrap or a buffer; NULL for passes without one */
    uint32_t boundary_size;
    uint32_t from, to; /* region, offsets into the buffer of the part */
    int32_t part;
    uint8_t what, flags;
} MimeTask;

typedef struct MimeScrap { /* small owned memory, freed with the table */
    struct MimeScrap* next;
    uint8_t bytes[];
} MimeScrap;

typedef struct {
    const uint8_t* data; /* the received message; not owned */
    uint32_t size;
    int failed; /* an allocation failed: the tables are valid but incomplete */
    MimePart* parts;
    uint32_t n_parts, cap_parts;
    MimeField* fields;
    uint32_t n_fields, cap_fields;
    MimeAnomaly* anomalies;
    uint32_t n_anomalies, cap_anomalies;
    MimeBuffer buffers[MIME_MAX_BUFFERS]; /* [0] is the received message */
    uint32_t n_buffers;
    uint64_t decoded; /* bytes in buffers[1..] */
    MimeTask tasks[MIME_MAX_TASKS];
    uint32_t n_tasks;
    MimeScrap* scraps;
    uint32_t n_readings; /* highest reading given out */
    int ambiguous;
    int has_multipart; /* some row is one */
} MimeTable;

/* Room for one more element. Returns 0, or -1 with `failed` set. Sizes stay below 2^32 because every element
 * costs at least one byte of a message that is itself below 2^32. */
static int table_grow(MimeTable* t, void** rows, uint32_t used, uint32_t* cap, size_t width, uint32_t first)
{
    uint32_t want;
    void* more;
    if (used < *cap) return 0;
    want = *cap ? *cap * 2 : first;
    more = realloc(*rows, (size_t)want * width);
    if (more == NULL) {
        t->failed = 1;
        return -1;
    }
    *rows = more;
    *cap = want;
    return 0;
}

static inline int is_noted(const MimePart* p, int code)
{
    return (int)(p->seen[code >> 6] >> (code & 63) & 1);
}

/* Notes an anomaly once for a part. */
static void note(MimeTable* t, int32_t part, int code, size_t offset)
{
    MimePart* p;
    MimeAnomaly* a;
    if (part < 0 || (uint32_t)part >= t->n_parts) return;
    p = &t->parts[part];
    if (is_noted(p, code)) return;
    p->seen[code >> 6] |= (uint64_t)1 << (code & 63);
    if (ANOMALY_TEXT[code].ambiguous) t->ambiguous = 1;
    if (table_grow(t, (void**)&t->anomalies, t->n_anomalies, &t->cap_anomalies, sizeof *t->anomalies, 8)) return;
    a = &t->anomalies[t->n_anomalies++];
    a->part = (uint32_t)part;
    a->offset = (uint32_t)offset;
    a->code = (uint32_t)code;
}

static void table_free(MimeTable* t)
{
    uint32_t i;
    if (t == NULL) return;
    for (i = 1; i < t->n_buffers; i++) free(t->buffers[i].data);
    while (t->scraps) {
        MimeScrap* scrap = t->scraps;
        t->scraps = scrap->next;
        free(scrap);
    }
    free(t->parts);
    free(t->fields);
    free(t->anomalies);
    free(t);
}

/* A copy that lives as long as the table, or NULL (no memory). */
static uint8_t* table_keep(MimeTable* t, const uint8_t* bytes, size_t n)
{
    MimeScrap* scrap = malloc(sizeof *scrap + n + 1);
    if (scrap == NULL) {
        t->failed = 1;
        return NULL;
    }
    scrap->next = t->scraps;
    t->scraps = scrap;
    memcpy(scrap->bytes, bytes, n);
    return scrap->bytes;
}

/* New row, zeroed apart from the given facts. Returns its index or -1 (limit or memory). */
static int32_t part_new(MimeTable* t, int32_t parent, uint32_t depth, uint32_t reading, uint32_t buffer, uint32_t head)
{
    MimePart* p;
    if (t->n_parts >= MIME_MAX_PARTS) return -1;
    if (table_grow(t, (void**)&t->parts, t->n_parts, &t->cap_parts, sizeof *t->parts, 4)) return -1;
    p = &t->parts[t->n_parts];
    memset(p, 0, sizeof *p);
    p->head = p->body = p->end = p->type = p->type_end = head;
    p->field = t->n_fields;
    p->parent = parent;
    p->depth = (uint16_t)depth;
    p->reading = (uint16_t)reading;
    p->buffer = (uint16_t)buffer;
    p->f_type = p->f_enc = p->f_disp = -1;
    return (int32_t)t->n_parts++;
}

/* Another row for the same entity: what some client would see instead. */
static int32_t part_again(MimeTable* t, int32_t part, uint32_t reading)
{
    int32_t again = part_new(t, -1, 0, 0, 0, 0);
    MimePart* p;
    if (again < 0) return -1;
    p = &t->parts[again];
    *p = t->parts[part];
    p->reading = (uint16_t)reading;
    p->seen[0] = p->seen[1] = 0;
    return again;
}

#endif
