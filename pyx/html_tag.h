/* Names of elements and attributes that matter, found by one hash of their first eight bytes.
 *
 * Source: WHATWG HTML 13.1.2 (void elements), 13.2.4.3 (formatting elements, scope markers), 13.2.6.4 (which start tags
 * close which elements), 15.3 (what is not rendered). */
#ifndef MXWARD_HTML_TAG_H
#define MXWARD_HTML_TAG_H

#include "html_style.h"

enum ht_id {
    HT_UNKNOWN, HT_A, HT_AREA, HT_BODY, HT_BUTTON, HT_DD, HT_DT, HT_EMBED, HT_FONT, HT_FORM, HT_FRAME, HT_HEAD, HT_HTML,
    HT_IFRAME, HT_IMG, HT_INPUT, HT_LI, HT_LIST, HT_META, HT_OBJECT, HT_P, HT_SCRIPT, HT_STYLE, HT_TABLE, HT_TBODY,
    HT_TD, HT_TITLE, HT_TR, HT_OTHER, HT_WALL, HT_IDS,
};
/* What an element is: bits of ht_info.is. */
enum {
    HT_INLINE = 1,    /* stands inside a line; all others end one */
    HT_VOID = 2,      /* has no content and no end tag */
    HT_FORMAT = 4,    /* goes on behind the end of what it began in */
    HT_BARRIER = 8,   /* end tags inside do not close what is outside */
    HT_HEADISH = 16,  /* may stand in <head> */
    HT_ENDS_P = 32,   /* closes an open <p> */
    HT_UNSHOWN = 64,  /* its content is not rendered */
    HT_ASIDE = 128,   /* nor is this, and nobody is deceived by it */
};

typedef struct { const char *name; uint8_t id, display; uint16_t is; } ht_info;
static const ht_info HT_TAGS[] = {
    { "a", HT_A, HD_INLINE, HT_INLINE | HT_FORMAT }, { "b", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT },
    { "i", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT }, { "u", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT },
    { "em", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT }, { "s", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT },
    { "font", HT_FONT, HD_INLINE, HT_INLINE | HT_FORMAT }, { "span", HT_OTHER, HD_INLINE, HT_INLINE },
    { "strong", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT }, { "tt", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT },
    { "small", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT }, { "big", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT },
    { "code", HT_OTHER, HD_INLINE, HT_INLINE | HT_FORMAT }, { "sub", HT_OTHER, HD_INLINE, HT_INLINE },
    { "sup", HT_OTHER, HD_INLINE, HT_INLINE }, { "abbr", HT_OTHER, HD_INLINE, HT_INLINE },
    { "mark", HT_OTHER, HD_INLINE, HT_INLINE }, { "ins", HT_OTHER, HD_INLINE, HT_INLINE },
    { "del", HT_OTHER, HD_INLINE, HT_INLINE }, { "q", HT_OTHER, HD_INLINE, HT_INLINE },
    { "wbr", HT_OTHER, HD_INLINE, HT_INLINE | HT_VOID }, { "bdo", HT_OTHER, HD_INLINE, HT_INLINE },
    { "bdi", HT_OTHER, HD_INLINE, HT_INLINE }, { "label", HT_OTHER, HD_INLINE, HT_INLINE },
    { "img", HT_IMG, HD_INLINE, HT_INLINE | HT_VOID }, { "image", HT_IMG, HD_INLINE, HT_VOID },
    { "strike", HT_OTHER, HD_INLINE, HT_FORMAT }, { "nobr", HT_OTHER, HD_INLINE, HT_FORMAT },
    { "br", HT_OTHER, HD_INLINE, HT_VOID }, { "hr", HT_OTHER, HD_BLOCK, HT_VOID | HT_ENDS_P },
    { "area", HT_AREA, HD_INLINE, HT_VOID }, { "base", HT_OTHER, HD_INLINE, HT_VOID | HT_HEADISH },
    { "col", HT_OTHER, HD_CELL, HT_VOID }, { "embed", HT_EMBED, HD_INLINE, HT_VOID },
    { "input", HT_INPUT, HD_INLINE, HT_VOID }, { "link", HT_OTHER, HD_INLINE, HT_VOID | HT_HEADISH },
    { "meta", HT_META, HD_INLINE, HT_VOID | HT_HEADISH }, { "param", HT_OTHER, HD_INLINE, HT_VOID },
    { "source", HT_OTHER, HD_INLINE, HT_VOID }, { "track", HT_OTHER, HD_INLINE, HT_VOID },
    { "bgsound", HT_OTHER, HD_INLINE, HT_VOID | HT_HEADISH }, { "frame", HT_FRAME, HD_BLOCK, HT_VOID },
    { "basefont", HT_OTHER, HD_INLINE, HT_VOID | HT_HEADISH }, { "keygen", HT_OTHER, HD_INLINE, HT_VOID },
    { "html", HT_HTML, HD_BLOCK, 0 }, { "body", HT_BODY, HD_BLOCK, 0 },
    { "head", HT_HEAD, HD_BLOCK, HT_HEADISH | HT_ASIDE }, { "title", HT_TITLE, HD_BLOCK, HT_HEADISH | HT_ASIDE },
    { "script", HT_SCRIPT, HD_BLOCK, HT_HEADISH }, { "style", HT_STYLE, HD_BLOCK, HT_HEADISH },
    { "noscript", HT_OTHER, HD_INLINE, HT_HEADISH }, { "template", HT_OTHER, HD_BLOCK, HT_BARRIER | HT_HEADISH | HT_UNSHOWN },
    { "dialog", HT_OTHER, HD_BLOCK, HT_ENDS_P | HT_UNSHOWN }, { "datalist", HT_OTHER, HD_BLOCK, HT_UNSHOWN },
    { "noframes", HT_OTHER, HD_BLOCK, HT_HEADISH | HT_UNSHOWN }, { "noembed", HT_OTHER, HD_BLOCK, HT_UNSHOWN },
    { "table", HT_TABLE, HD_CELL, HT_BARRIER }, { "tbody", HT_TBODY, HD_CELL, 0 }, { "thead", HT_TBODY, HD_CELL, 0 },
    { "tfoot", HT_TBODY, HD_CELL, 0 }, { "tr", HT_TR, HD_CELL, 0 }, { "td", HT_TD, HD_CELL, HT_BARRIER },
    { "th", HT_TD, HD_CELL, HT_BARRIER }, { "caption", HT_OTHER, HD_CELL, HT_BARRIER },
    { "p", HT_P, HD_BLOCK, HT_ENDS_P }, { "div", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "center", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "blockquote", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "h1", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "h2", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "h3", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "h4", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "h5", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "h6", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "ul", HT_LIST, HD_BLOCK, HT_ENDS_P }, { "ol", HT_LIST, HD_BLOCK, HT_ENDS_P },
    { "dl", HT_LIST, HD_BLOCK, HT_ENDS_P }, { "menu", HT_LIST, HD_BLOCK, HT_ENDS_P },
    { "dir", HT_LIST, HD_BLOCK, HT_ENDS_P }, { "li", HT_LI, HD_BLOCK, HT_ENDS_P },
    { "dd", HT_DD, HD_BLOCK, HT_ENDS_P }, { "dt", HT_DT, HD_BLOCK, HT_ENDS_P },
    { "pre", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "address", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "article", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "aside", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "section", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "header", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "footer", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "main", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "nav", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "figure", HT_OTHER, HD_BLOCK, HT_ENDS_P },
    { "fieldset", HT_OTHER, HD_BLOCK, HT_ENDS_P }, { "form", HT_FORM, HD_BLOCK, HT_ENDS_P },
    { "button", HT_BUTTON, HD_BLOCK, HT_BARRIER }, { "iframe", HT_IFRAME, HD_BLOCK, HT_ASIDE },
    { "object", HT_OBJECT, HD_INLINE, HT_BARRIER }, { "marquee", HT_OTHER, HD_BLOCK, HT_BARRIER },
};

enum ht_attr {
    HA_OTHER, HA_HREF, HA_SRC, HA_ACTION, HA_BACKGROUND, HA_DATA, HA_TYPE, HA_CONTENT, HA_STYLE, HA_CLASS, HA_ID,
    HA_BGCOLOR, HA_COLOR, HA_TEXT, HA_HIDDEN, HA_MEDIA,
};
static const ht_info HT_ATTRIBUTES[] = {
    { "href", HA_HREF, 0, 0 }, { "src", HA_SRC, 0, 0 }, { "action", HA_ACTION, 0, 0 }, { "formaction", HA_ACTION, 0, 0 },
    { "background", HA_BACKGROUND, 0, 0 }, { "data", HA_DATA, 0, 0 }, { "type", HA_TYPE, 0, 0 },
    { "content", HA_CONTENT, 0, 0 }, { "style", HA_STYLE, 0, 0 }, { "class", HA_CLASS, 0, 0 }, { "id", HA_ID, 0, 0 },
    { "bgcolor", HA_BGCOLOR, 0, 0 }, { "color", HA_COLOR, 0, 0 }, { "text", HA_TEXT, 0, 0 },
    { "hidden", HA_HIDDEN, 0, 0 }, { "media", HA_MEDIA, 0, 0 },
};

#define HT_SLOTS 512
typedef struct { uint64_t keys[HT_SLOTS]; const ht_info *infos[HT_SLOTS]; } ht_names;
static ht_names HT_TAG_NAMES, HT_ATTRIBUTE_NAMES;
static const ht_info HT_NO_INFO = { "", HT_UNKNOWN, HD_BLOCK, 0 };

/* Names of up to eight bytes are their own key; longer ones share it with names of the same beginning and length. */
static inline uint64_t ht_key(const uint8_t *at, size_t n)
{
    uint64_t key = 0;
    for (size_t i = 0; i < n && i < 8; i++) key |= (uint64_t)hs_lower(at[i]) << (8 * i);
    return n > 8 ? key ^ (uint64_t)n << 56 : key;
}

static inline unsigned ht_slot(uint64_t key) { return (unsigned)(key * 0x9e3779b97f4a7c15u >> 55); }  /* 9 bits */

static inline const ht_info *ht_find(const ht_names *names, uint64_t key)
{
    unsigned slot = ht_slot(key);
    while (names->infos[slot] != NULL && names->keys[slot] != key) slot = (slot + 1) % HT_SLOTS;
    return names->infos[slot] != NULL ? names->infos[slot] : &HT_NO_INFO;
}

static void ht_enter(ht_names *names, const ht_info *infos, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t key = ht_key((const uint8_t *)infos[i].name, strlen(infos[i].name));
        unsigned slot = ht_slot(key);
        while (names->infos[slot] != NULL) slot = (slot + 1) % HT_SLOTS;
        names->keys[slot] = key;
        names->infos[slot] = &infos[i];
    }
}

/* Once, when the module is made: fewer than a quarter of the slots are taken, so that searches end. */
static void ht_init(void)
{
    if (HT_TAG_NAMES.infos[ht_slot(ht_key((const uint8_t *)"a", 1))] != NULL) return;
    ht_enter(&HT_TAG_NAMES, HT_TAGS, sizeof(HT_TAGS) / sizeof(HT_TAGS[0]));
    ht_enter(&HT_ATTRIBUTE_NAMES, HT_ATTRIBUTES, sizeof(HT_ATTRIBUTES) / sizeof(HT_ATTRIBUTES[0]));
}
#endif
