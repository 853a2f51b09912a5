/* Character references of HTML: numbers, the names of HTML 4, and the names of ASCII signs that hide words.
 *
 * Invisible characters give nothing, spaces a space, curly quotes and dashes their plain forms, because readable text
 * is compared with lists of words. Source: WHATWG HTML 13.2.5.72 to 13.2.5.80. */
#ifndef MXWARD_HTML_ENTITY_H
#define MXWARD_HTML_ENTITY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const char *name, *text;
    int bare;  /* is read without its semicolon too */
} he_name;
/* sorted by name; no text is longer than '&' and the name */
static const he_name HE_NAMES[] = {
    { "AElig", "\303\206", 1 }, { "AMP", "&", 1 }, { "Aacute", "\303\201", 1 }, { "Acirc", "\303\202", 1 },
    { "Agrave", "\303\200", 1 }, { "Alpha", "\316\221", 0 }, { "Aring", "\303\205", 1 }, { "Atilde", "\303\203", 1 },
    { "Auml", "\303\204", 1 }, { "Beta", "\316\222", 0 }, { "COPY", "\302\251", 1 }, { "Ccedil", "\303\207", 1 },
    { "Chi", "\316\247", 0 }, { "Dagger", "\342\200\241", 0 }, { "Delta", "\316\224", 0 }, { "ETH", "\303\220", 1 },
    { "Eacute", "\303\211", 1 }, { "Ecirc", "\303\212", 1 }, { "Egrave", "\303\210", 1 },
    { "Epsilon", "\316\225", 0 }, { "Eta", "\316\227", 0 }, { "Euml", "\303\213", 1 }, { "GT", ">", 1 },
    { "Gamma", "\316\223", 0 }, { "Hat", "^", 0 }, { "Iacute", "\303\215", 1 }, { "Icirc", "\303\216", 1 },
    { "Igrave", "\303\214", 1 }, { "Iota", "\316\231", 0 }, { "Iuml", "\303\217", 1 }, { "Kappa", "\316\232", 0 },
    { "LT", "<", 1 }, { "Lambda", "\316\233", 0 }, { "Mu", "\316\234", 0 }, { "NewLine", "\n", 0 },
    { "NoBreak", "", 0 }, { "Ntilde", "\303\221", 1 }, { "Nu", "\316\235", 0 }, { "OElig", "\305\222", 0 },
    { "Oacute", "\303\223", 1 }, { "Ocirc", "\303\224", 1 }, { "Ograve", "\303\222", 1 }, { "Omega", "\316\251", 0 },
    { "Omicron", "\316\237", 0 }, { "Oslash", "\303\230", 1 }, { "Otilde", "\303\225", 1 }, { "Ouml", "\303\226", 1 },
    { "Phi", "\316\246", 0 }, { "Pi", "\316\240", 0 }, { "Prime", "\342\200\263", 0 }, { "Psi", "\316\250", 0 },
    { "QUOT", "\"", 1 }, { "REG", "\302\256", 1 }, { "Rho", "\316\241", 0 }, { "Scaron", "\305\240", 0 },
    { "Sigma", "\316\243", 0 }, { "THORN", "\303\236", 1 }, { "Tab", "\t", 0 }, { "Tau", "\316\244", 0 },
    { "Theta", "\316\230", 0 }, { "Uacute", "\303\232", 1 }, { "Ucirc", "\303\233", 1 }, { "Ugrave", "\303\231", 1 },
    { "Upsilon", "\316\245", 0 }, { "Uuml", "\303\234", 1 }, { "Xi", "\316\236", 0 }, { "Yacute", "\303\235", 1 },
    { "Yuml", "\305\270", 0 }, { "ZeroWidthSpace", "", 0 }, { "Zeta", "\316\226", 0 }, { "aacute", "\303\241", 1 },
    { "acirc", "\303\242", 1 }, { "acute", "\302\264", 1 }, { "aelig", "\303\246", 1 }, { "agrave", "\303\240", 1 },
    { "alefsym", "\342\204\265", 0 }, { "alpha", "\316\261", 0 }, { "amp", "&", 1 }, { "and", "\342\210\247", 0 },
    { "ang", "\342\210\240", 0 }, { "apos", "'", 0 }, { "aring", "\303\245", 1 }, { "ast", "*", 0 },
    { "asymp", "\342\211\210", 0 }, { "atilde", "\303\243", 1 }, { "auml", "\303\244", 1 },
    { "bdquo", "\342\200\236", 0 }, { "beta", "\316\262", 0 }, { "brvbar", "\302\246", 1 }, { "bsol", "\\", 0 },
    { "bull", "\342\200\242", 0 }, { "cap", "\342\210\251", 0 }, { "ccedil", "\303\247", 1 },
    { "cedil", "\302\270", 1 }, { "cent", "\302\242", 1 }, { "chi", "\317\207", 0 }, { "circ", "\313\206", 0 },
    { "clubs", "\342\231\243", 0 }, { "colon", ":", 0 }, { "comma", ",", 0 }, { "commat", "@", 0 },
    { "cong", "\342\211\205", 0 }, { "copy", "\302\251", 1 }, { "crarr", "\342\206\265", 0 },
    { "cup", "\342\210\252", 0 }, { "curren", "\302\244", 1 }, { "dArr", "\342\207\223", 0 },
    { "dagger", "\342\200\240", 0 }, { "darr", "\342\206\223", 0 }, { "dash", "\342\200\220", 0 },
    { "deg", "\302\260", 1 }, { "delta", "\316\264", 0 }, { "diams", "\342\231\246", 0 }, { "divide", "\303\267", 1 },
    { "dollar", "$", 0 }, { "eacute", "\303\251", 1 }, { "ecirc", "\303\252", 1 }, { "egrave", "\303\250", 1 },
    { "empty", "\342\210\205", 0 }, { "emsp", " ", 0 }, { "ensp", " ", 0 }, { "epsilon", "\316\265", 0 },
    { "equals", "=", 0 }, { "equiv", "\342\211\241", 0 }, { "eta", "\316\267", 0 }, { "eth", "\303\260", 1 },
    { "euml", "\303\253", 1 }, { "euro", "\342\202\254", 0 }, { "excl", "!", 0 }, { "exist", "\342\210\203", 0 },
    { "fnof", "\306\222", 0 }, { "forall", "\342\210\200", 0 }, { "frac12", "\302\275", 1 },
    { "frac14", "\302\274", 1 }, { "frac34", "\302\276", 1 }, { "frasl", "\342\201\204", 0 },
    { "gamma", "\316\263", 0 }, { "ge", "\342\211\245", 0 }, { "grave", "`", 0 }, { "gt", ">", 1 },
    { "hArr", "\342\207\224", 0 }, { "harr", "\342\206\224", 0 }, { "hearts", "\342\231\245", 0 },
    { "hellip", "...", 0 }, { "hyphen", "\342\200\220", 0 }, { "iacute", "\303\255", 1 }, { "icirc", "\303\256", 1 },
    { "iexcl", "\302\241", 1 }, { "igrave", "\303\254", 1 }, { "image", "\342\204\221", 0 },
    { "infin", "\342\210\236", 0 }, { "int", "\342\210\253", 0 }, { "iota", "\316\271", 0 },
    { "iquest", "\302\277", 1 }, { "isin", "\342\210\210", 0 }, { "iuml", "\303\257", 1 }, { "kappa", "\316\272", 0 },
    { "lArr", "\342\207\220", 0 }, { "lambda", "\316\273", 0 }, { "lang", "\342\237\250", 0 },
    { "laquo", "\302\253", 1 }, { "larr", "\342\206\220", 0 }, { "lbrace", "{", 0 }, { "lceil", "\342\214\210", 0 },
    { "lcub", "{", 0 }, { "ldquo", "\"", 0 }, { "le", "\342\211\244", 0 }, { "lfloor", "\342\214\212", 0 },
    { "lowast", "\342\210\227", 0 }, { "lowbar", "_", 0 }, { "loz", "\342\227\212", 0 }, { "lpar", "(", 0 },
    { "lrm", "", 0 }, { "lsaquo", "\342\200\271", 0 }, { "lsqb", "[", 0 }, { "lsquo", "'", 0 }, { "lt", "<", 1 },
    { "macr", "\302\257", 1 }, { "mdash", "-", 0 }, { "micro", "\302\265", 1 }, { "middot", "\302\267", 1 },
    { "minus", "\342\210\222", 0 }, { "mu", "\316\274", 0 }, { "nabla", "\342\210\207", 0 }, { "nbsp", " ", 1 },
    { "ndash", "-", 0 }, { "ne", "\342\211\240", 0 }, { "ni", "\342\210\213", 0 }, { "not", "\302\254", 1 },
    { "notin", "\342\210\211", 0 }, { "nsub", "\342\212\204", 0 }, { "ntilde", "\303\261", 1 },
    { "nu", "\316\275", 0 }, { "num", "#", 0 }, { "oacute", "\303\263", 1 }, { "ocirc", "\303\264", 1 },
    { "oelig", "\305\223", 0 }, { "ograve", "\303\262", 1 }, { "oline", "\342\200\276", 0 },
    { "omega", "\317\211", 0 }, { "omicron", "\316\277", 0 }, { "oplus", "\342\212\225", 0 },
    { "or", "\342\210\250", 0 }, { "ordf", "\302\252", 1 }, { "ordm", "\302\272", 1 }, { "oslash", "\303\270", 1 },
    { "otilde", "\303\265", 1 }, { "otimes", "\342\212\227", 0 }, { "ouml", "\303\266", 1 },
    { "para", "\302\266", 1 }, { "part", "\342\210\202", 0 }, { "percnt", "%", 0 }, { "period", ".", 0 },
    { "permil", "\342\200\260", 0 }, { "perp", "\342\212\245", 0 }, { "phi", "\317\206", 0 }, { "pi", "\317\200", 0 },
    { "piv", "\317\226", 0 }, { "plus", "+", 0 }, { "plusmn", "\302\261", 1 }, { "pound", "\302\243", 1 },
    { "prime", "\342\200\262", 0 }, { "prod", "\342\210\217", 0 }, { "prop", "\342\210\235", 0 },
    { "psi", "\317\210", 0 }, { "quest", "?", 0 }, { "quot", "\"", 1 }, { "rArr", "\342\207\222", 0 },
    { "radic", "\342\210\232", 0 }, { "rang", "\342\237\251", 0 }, { "raquo", "\302\273", 1 },
    { "rarr", "\342\206\222", 0 }, { "rbrace", "}", 0 }, { "rceil", "\342\214\211", 0 }, { "rcub", "}", 0 },
    { "rdquo", "\"", 0 }, { "real", "\342\204\234", 0 }, { "reg", "\302\256", 1 }, { "rfloor", "\342\214\213", 0 },
    { "rho", "\317\201", 0 }, { "rlm", "", 0 }, { "rpar", ")", 0 }, { "rsaquo", "\342\200\272", 0 },
    { "rsqb", "]", 0 }, { "rsquo", "'", 0 }, { "sbquo", "\342\200\232", 0 }, { "scaron", "\305\241", 0 },
    { "sdot", "\342\213\205", 0 }, { "sect", "\302\247", 1 }, { "semi", ";", 0 }, { "shy", "", 1 },
    { "sigma", "\317\203", 0 }, { "sigmaf", "\317\202", 0 }, { "sim", "\342\210\274", 0 }, { "sol", "/", 0 },
    { "spades", "\342\231\240", 0 }, { "sub", "\342\212\202", 0 }, { "sube", "\342\212\206", 0 },
    { "sum", "\342\210\221", 0 }, { "sup", "\342\212\203", 0 }, { "sup1", "\302\271", 1 }, { "sup2", "\302\262", 1 },
    { "sup3", "\302\263", 1 }, { "supe", "\342\212\207", 0 }, { "szlig", "\303\237", 1 }, { "tau", "\317\204", 0 },
    { "there4", "\342\210\264", 0 }, { "theta", "\316\270", 0 }, { "thetasym", "\317\221", 0 }, { "thinsp", " ", 0 },
    { "thorn", "\303\276", 1 }, { "tilde", "\313\234", 0 }, { "times", "\303\227", 1 },
    { "trade", "\342\204\242", 0 }, { "uArr", "\342\207\221", 0 }, { "uacute", "\303\272", 1 },
    { "uarr", "\342\206\221", 0 }, { "ucirc", "\303\273", 1 }, { "ugrave", "\303\271", 1 }, { "uml", "\302\250", 1 },
    { "upsih", "\317\222", 0 }, { "upsilon", "\317\205", 0 }, { "uuml", "\303\274", 1 }, { "verbar", "|", 0 },
    { "weierp", "\342\204\230", 0 }, { "xi", "\316\276", 0 }, { "yacute", "\303\275", 1 }, { "yen", "\302\245", 1 },
    { "yuml", "\303\277", 1 }, { "zeta", "\316\266", 0 }, { "zwj", "", 0 }, { "zwnj", "", 0 },
};
#define HE_N (sizeof(HE_NAMES) / sizeof(HE_NAMES[0]))
#define HE_LONGEST 14  /* bytes of a name */

/* What browsers make of &#128; to &#159; (the table of WHATWG HTML 13.2.5.80). */
static const uint16_t HE_WINDOWS[32] = {
    0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
    0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
};

/* UTF-8 of one code point; at most 4 bytes. Surrogates and what is out of range give '?'. */
static size_t he_utf8(uint32_t c, uint8_t *out)
{
    if (c < 0x80) { out[0] = c ? (uint8_t)c : ' '; return 1; }
    if (c < 0xa0) c = HE_WINDOWS[c - 0x80];
    if (c < 0x800) { out[0] = 0xc0 | c >> 6; out[1] = 0x80 | (c & 63); return 2; }
    if (c >= 0xd800 && c < 0xe000) { out[0] = '?'; return 1; }
    if (c < 0x10000) { out[0] = 0xe0 | c >> 12; out[1] = 0x80 | (c >> 6 & 63); out[2] = 0x80 | (c & 63); return 3; }
    if (c > 0x10ffff) { out[0] = '?'; return 1; }
    out[0] = 0xf0 | c >> 18; out[1] = 0x80 | (c >> 12 & 63); out[2] = 0x80 | (c >> 6 & 63); out[3] = 0x80 | (c & 63);
    return 4;
}

/* A numeric reference "&#65;" or "&#x41;". Returns the source length, 0 when it is none. The output is at most as
 * long as the source: "&#1" gives 1 byte, 3 bytes need 3 digits ("&#128" is 5), 4 bytes need 5. */
static size_t he_numeric(const uint8_t *at, size_t left, uint8_t *out, size_t *n)
{
    size_t i = 2;
    uint32_t value = 0;
    int hex = left > 2 && (at[2] | 32) == 'x';
    i += (size_t)hex;
    size_t first = i;
    for (; i < left && i < 12; i++) {
        uint8_t c = at[i] >= 'A' && at[i] <= 'F' ? at[i] + 32 : at[i];
        if (c >= '0' && c <= '9') value = value * (hex ? 16 : 10) + (c - '0');
        else if (hex && c >= 'a' && c <= 'f') value = value * 16 + (c - 'a' + 10);
        else break;
        if (value > 0x10ffff) value = 0x110000;
    }
    if (i == first) return 0;
    *n += he_utf8(value, out + *n);
    return i < left && at[i] == ';' ? i + 1 : i;
}

/* The longest name of the table at `name`, up to `size` bytes; NULL when there is none that may stand so. */
static const he_name *he_find(const uint8_t *name, size_t size, int closed)
{
    size_t low = 0, high = HE_N;
    while (low < high) {
        size_t middle = (low + high) / 2, k = strlen(HE_NAMES[middle].name);
        int order = memcmp(name, HE_NAMES[middle].name, size < k ? size : k);
        if (order == 0) order = size < k ? -1 : size > k;
        if (order == 0) return closed || HE_NAMES[middle].bare ? &HE_NAMES[middle] : NULL;
        if (order < 0) high = middle; else low = middle + 1;
    }
    return NULL;
}

/* A named reference at '&'. Returns the source length, 0 when it is none and stays as written. In an attribute a
 * name without semicolon is no reference before '=' or a letter. */
static size_t he_named(const uint8_t *at, size_t left, uint8_t *out, size_t *n, int in_attribute)
{
    size_t size = 0;
    while (size < HE_LONGEST && 1 + size < left && ((at[1 + size] | 32) >= 'a' && (at[1 + size] | 32) <= 'z')) size++;
    while (size && size < HE_LONGEST && 1 + size < left && at[1 + size] >= '0' && at[1 + size] <= '9') size++;
    if (size < 2) return 0;
    int closed = 1 + size < left && at[1 + size] == ';';
    const he_name *found = he_find(at + 1, size, closed);
    if (in_attribute && !closed && 1 + size < left && at[1 + size] == '=') return 0;
    for (size_t shorter = size; found == NULL && !in_attribute && shorter > 2;) {
        found = he_find(at + 1, --shorter, 0);
        if (found) { size = shorter; closed = 0; }
    }
    if (found == NULL) return 0;
    size_t k = strlen(found->text);
    memcpy(out + *n, found->text, k);
    *n += k;
    return 1 + size + (size_t)closed;
}
#endif
