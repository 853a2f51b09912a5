"""Sets of Perl regular expressions by PCRE2 (JIT), each tried only where the literals that it needs were found.

Expressions and texts are bytes; UTF mode is off. Every match runs under limits, so no expression can stall a scan; what
gives up is named. Which literals an expression needs is core/rules/regex, the searches are pyx/literals and
pyx/candidates. Not here: what a match means.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort
from libc.string cimport memset

from mxward.bindings.libpcre2 cimport (
    PCRE2_ANCHORED, PCRE2_CASELESS, PCRE2_CONFIG_VERSION, PCRE2_DOTALL, PCRE2_EXTENDED, PCRE2_INFO_ALLOPTIONS,
    PCRE2_INFO_FIRSTBITMAP, PCRE2_INFO_FIRSTCODETYPE, PCRE2_INFO_FIRSTCODEUNIT, PCRE2_JIT_COMPLETE, PCRE2_MULTILINE,
    PCRE2_NEVER_BACKSLASH_C, PCRE2_NEVER_UTF, PCRE2_USE_OFFSET_LIMIT, pcre2_code, pcre2_code_free, pcre2_compile,
    pcre2_compile_context, pcre2_compile_context_create, pcre2_compile_context_free, pcre2_config,
    pcre2_get_error_message, pcre2_jit_compile, pcre2_match_context, pcre2_match_context_create,
    pcre2_match_context_free, pcre2_match_data_create, pcre2_match_data_free, pcre2_pattern_info,
    pcre2_set_max_pattern_length, pcre2_set_parens_nest_limit,
)
from mxward.bindings.regexrun cimport (
    Pair, Result, Run, run_begun, run_by_number, run_by_segment, run_cut, run_note, run_strip,
)
from mxward.bindings.regextry cimport STEPS, Expression, try_about, try_clock_ns, try_in, try_limit
from mxward.pyx.candidates cimport Candidates, cand_found, cand_run
from mxward.pyx.literals cimport LIT_CALL, Literals, LitScan
from mxward.pyx.sieve cimport Sieve

MAX_PATTERN = 16_384  # bytes of an expression; the longest of SpamAssassin has 7,000
MATCH_LIMIT = STEPS   # backtracking steps of one try at one text
_NEST = 200           # parentheses in parentheses

cdef enum:
    NONE = 0xFFFFFFFFu
    LANES = 8            # expressions that the sieve looks for at a time


class PatternError(ValueError):
    """An expression does not compile. `number`: which; `offset`: where, in bytes."""

    def __init__(self, number, offset, reason):
        self.number, self.offset = number, offset
        super().__init__(reason)


def version():
    """PCRE2's version, such as "10.42 2022-12-11"."""
    cdef char[64] text
    pcre2_config(PCRE2_CONFIG_VERSION, text)
    return (<bytes>text).decode("ascii")


cdef uint32_t _options(str flags) except? 0xFFFFFFFF:
    cdef uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C
    for flag in flags:
        if flag == "i":
            options |= PCRE2_CASELESS
        elif flag == "m":
            options |= PCRE2_MULTILINE
        elif flag == "s":
            options |= PCRE2_DOTALL
        elif flag == "x":
            options |= PCRE2_EXTENDED
        else:
            raise ValueError(f"unknown flag {flag!r}")
    return options


def begins(bytes pattern not None, str flags not None=""):
    """How a match begins. See pcre2.pyi."""
    cdef int error = 0
    cdef size_t offset = 0
    cdef uint32_t options = 0, kind = 0, unit = 0, byte
    cdef const uint8_t* bits = NULL
    cdef pcre2_code* code = pcre2_compile(
        <const uint8_t*>PyBytes_AS_STRING(pattern), <size_t>PyBytes_GET_SIZE(pattern), _options(flags), &error, &offset,
        NULL)
    if code == NULL:
        return "", None
    pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options)
    pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &kind)
    pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODEUNIT, &unit)
    pcre2_pattern_info(code, PCRE2_INFO_FIRSTBITMAP, &bits)
    where = "text" if options & PCRE2_ANCHORED else "line" if kind == 2 else ""
    first = None
    if kind == 1:
        first = frozenset(bytes((unit,)).lower() + bytes((unit,)).upper())
    elif bits != NULL:
        first = frozenset([byte for byte in range(256) if bits[byte // 8] >> (byte % 8) & 1])
    pcre2_code_free(code)
    return where, first


cdef class Filter:
    """What expressions need. See pcre2.pyi."""

    cdef Literals literals
    cdef Literals skeletons
    cdef Sieve sieve
    cdef Candidates candidates
    cdef tuple own
    cdef bytes uses

    def __init__(self, Literals literals not None, Literals skeletons not None, Sieve sieve not None,
                 Candidates candidates not None, own, bytes uses not None):
        self.literals, self.skeletons, self.sieve, self.candidates = literals, skeletons, sieve, candidates
        self.own, self.uses = tuple(own), uses


cdef class Patterns:
    """See pcre2.pyi. Nothing changes after __init__."""

    cdef Expression* _expressions
    cdef uint32_t _n
    cdef pcre2_match_context* _context
    cdef Filter _given         # or None
    cdef uint32_t* _always     # expressions that nothing tells about, by the kind of text that they are applied to
    cdef uint32_t* _always_at  # of each kind: where its expressions begin; of the last: where they end
    cdef uint8_t* _stripped    # of each kind: is its skeleton searched?
    cdef uint32_t _n_kinds
    cdef uint32_t _words       # of a row of Filter.uses
    cdef uint32_t* _own        # of each expression: its number in the sieve, or NONE
    cdef uint32_t* _places     # of each expression: the kind of text that it is applied to

    def __cinit__(self):
        self._expressions = NULL
        self._context = NULL
        self._always = self._always_at = self._own = self._places = NULL
        self._stripped = NULL
        self._n_kinds = 1
        self._n = 0

    def __init__(self, patterns, Filter filter=None, places=None):
        cdef pcre2_compile_context* limits
        if self._expressions != NULL:
            raise ValueError("a set is made once")
        patterns = list(patterns)
        self._expressions = <Expression*>calloc(len(patterns) + 1, sizeof(Expression))
        self._always = <uint32_t*>calloc(len(patterns) + 1, sizeof(uint32_t))
        self._own = <uint32_t*>calloc(len(patterns) + 1, sizeof(uint32_t))
        self._places = <uint32_t*>calloc(len(patterns) + 1, sizeof(uint32_t))
        self._context = pcre2_match_context_create(NULL)
        limits = pcre2_compile_context_create(NULL)
        try:
            if NULL in (self._always, self._own, self._places) or self._expressions == NULL or (
                    self._context == NULL or limits == NULL):
                raise MemoryError()
            try_limit(self._context)
            pcre2_set_max_pattern_length(limits, MAX_PATTERN)
            pcre2_set_parens_nest_limit(limits, _NEST)
            for number, (pattern, flags, bound) in enumerate(patterns):
                self._add(number, pattern, flags, bound, limits)
        finally:
            pcre2_compile_context_free(limits)
        self._filter(filter, places)

    cdef int _add(self, uint32_t number, bytes pattern, str flags, uint32_t bound,
                  pcre2_compile_context* limits) except -1:
        cdef int error = 0
        cdef size_t offset = 0
        cdef uint8_t[256] text
        cdef Expression* expression = &self._expressions[number]  # one more than there are patterns
        expression.code = pcre2_compile(
            <const uint8_t*>PyBytes_AS_STRING(pattern), <size_t>PyBytes_GET_SIZE(pattern),
            _options(flags) | PCRE2_USE_OFFSET_LIMIT, &error, &offset, limits)
        if expression.code == NULL:
            pcre2_get_error_message(error, text, sizeof(text))
            raise PatternError(number, offset, (<bytes><const char*>text).decode("ascii", "replace"))
        # without JIT (not built in, or too large an expression) the same match runs interpreted
        pcre2_jit_compile(expression.code, PCRE2_JIT_COMPLETE)
        try_about(expression, b"\\G" in pattern or b"(*" in pattern)
        expression.bound = bound if bound > 0 else 1
        self._n = number + 1
        return 0

    cdef int _filter(self, Filter filter, places) except -1:
        cdef uint32_t i
        if places is not None and len(places) != self._n:
            raise ValueError("one place an expression")
        for i in range(self._n):
            self._own[i], self._places[i] = NONE, 0 if places is None else places[i]
            self._n_kinds = max(self._n_kinds, self._places[i] + 1)
        numbers = range(self._n)
        if filter is not None:
            self._check(filter)
            numbers = filter.candidates.always
        self._given = filter
        self._always_at = <uint32_t*>calloc(self._n_kinds + 2, sizeof(uint32_t))
        if self._always_at == NULL:
            raise MemoryError()
        for i, number in enumerate(sorted(numbers, key=lambda number: self._places[<uint32_t>number])):
            self._always[i] = number
            self._always_at[self._places[<uint32_t>number] + 1] = i + 1
        for i in range(self._n_kinds):
            self._always_at[i + 1] = max(self._always_at[i + 1], self._always_at[i])
        return 0

    cdef int _check(self, Filter filter) except -1:
        """Take over what the filter tells of each expression and kind of text."""
        cdef uint32_t i, kind
        cdef size_t n_leaves = 3 * max(filter.literals.n, filter.skeletons.n) + 3
        cdef const uint64_t* uses = <const uint64_t*>PyBytes_AS_STRING(filter.uses)
        if filter.candidates.n != self._n or len(filter.own) != self._n:
            raise ValueError("literals and needs belong together, one need an expression")
        for i, own in enumerate(filter.own):
            if own >= 0:
                if own >= filter.sieve.n:
                    raise ValueError("an expression that is not in the sieve")
                self._own[i] = own
        self._words = (self._n_kinds + 63) // 64
        if <size_t>len(filter.uses) != n_leaves * self._words * 8:
            raise ValueError("one row of kinds a literal")
        self._stripped = <uint8_t*>calloc(self._n_kinds + 1, 1)
        if self._stripped == NULL:
            raise MemoryError()
        for i in range(<uint32_t>filter.skeletons.n):
            for kind in range(self._n_kinds):
                self._stripped[kind] |= uses[<size_t>(3 * i + 1) * self._words + kind // 64] >> (kind % 64) & 1
        return 0

    def __dealloc__(self):
        cdef uint32_t i
        if self._expressions != NULL:
            for i in range(self._n):
                pcre2_code_free(self._expressions[i].code)
        free(self._expressions)
        free(self._always)
        free(self._always_at)
        free(self._stripped)
        free(self._own)
        free(self._places)
        pcre2_match_context_free(self._context)

    @property
    def n(self):
        return self._n

    def match(self, bytes data not None, starts=None, uint64_t budget_us=0):
        """What matches one text, and what gave up. See pcre2.pyi."""
        return self.match_pieces([(0, data, starts)], budget_us)

    def match_pieces(self, list pieces not None, uint64_t budget_us=0):
        """What matches texts of several kinds, and what gave up. See pcre2.pyi."""
        cdef Run run
        cdef uint8_t* buffer = NULL
        cdef size_t n_starts = 0, size = 0
        memset(&run, 0, sizeof(run))
        for _, data, starts in pieces:
            size += <size_t>len(<bytes?>data)
            n_starts += 1 if starts is None else len(starts)
        if self._n == 0 or n_starts == 0:
            return [], []
        run.starts = <size_t*>malloc((2 * n_starts + 2) * sizeof(size_t))
        run.kinds = <uint32_t*>malloc((n_starts + 1) * sizeof(uint32_t))
        run.results = <Result*>calloc(self._n, sizeof(Result))
        run.touched = <uint32_t*>malloc(self._n * sizeof(uint32_t))
        run.matched = pcre2_match_data_create(1, NULL)
        if len(pieces) > 1:
            buffer = <uint8_t*>malloc(size + 1)
        try:
            if NULL in (run.starts, run.kinds, run.results, run.touched) or run.matched == NULL or (
                    len(pieces) > 1 and buffer == NULL):
                raise MemoryError()
            run.origins = run.starts + n_starts + 1
            run.data = buffer
            run_cut(&run, pieces, self._n_kinds, buffer)
            self._prepare(&run)
            with nogil:
                run.deadline_ns = try_clock_ns() + budget_us * 1000 if budget_us else 0
                self._run(&run)
            return self._report(&run)
        finally:
            if run.scratch != NULL:
                self._given.candidates.give(run.scratch)
            pcre2_match_data_free(run.matched)
            pcre2_match_context_free(run.windows)
            free(buffer)
            free(run.starts)
            free(run.kinds)
            free(run.results)
            free(run.touched)
            free(run.last)
            free(run.pairs)

    cdef int _prepare(self, Run* run) except -1:
        """Memory of the filter."""
        cdef size_t n_leaves
        if self._given is None:
            return 0
        n_leaves = 3 * max(self._given.literals.n, self._given.skeletons.n) + 3
        run.last = <uint32_t*>malloc(n_leaves * sizeof(uint32_t))
        if run.last == NULL:
            raise MemoryError()
        memset(run.last, 0xFF, n_leaves * sizeof(uint32_t))
        run.uses, run.words = <const uint64_t*>PyBytes_AS_STRING(self._given.uses), self._words
        run.needs = &self._given.candidates._set
        run.scratch = self._given.candidates.take()
        return 0

    cdef void _run(self, Run* run) noexcept nogil:
        cdef size_t segment, at = 0
        cdef uint32_t i
        if run.scratch != NULL:
            self._search(run)
        for segment in range(run.n_segments):
            if run.scratch != NULL and not run.is_overfull:
                run.scratch.n_touched, run.scratch.n_fired, run.scratch.n_needs = 0, 0, 0
                while at < run.n_pairs and run.pairs[at].segment == <uint32_t>segment:
                    cand_found(run.needs, run.scratch, run.pairs[at].literal)
                    at += 1
                self._choose(run, segment)
            else:
                for i in range(self._n):
                    if self._is_open(run, i, segment):
                        try_in(run, &self._expressions[i], i, segment, self._context)

    cdef inline bint _is_open(self, const Run* run, uint32_t number, size_t segment) noexcept nogil:
        """Is the expression for this kind of text, and not settled yet?"""
        return self._places[number] == run.kinds[segment] and run.results[number].state == 0

    cdef void _choose(self, Run* run, size_t segment) noexcept nogil:
        """Try the expressions whose needs hold in a segment, and which their own automata let pass."""
        cdef uint32_t[LANES] numbers
        cdef uint32_t i, number, n_waiting = 0, kind = run.kinds[segment]
        cdef const uint32_t* always = self._always + self._always_at[kind]  # kind < _n_kinds: see run_cut
        cdef uint32_t n_always = self._always_at[kind + 1] - self._always_at[kind]
        if kind < self._given.sieve.head.n_kinds:
            self._given.sieve.first(
                kind, run.data + run.starts[segment], run.starts[segment + 1] - run.starts[segment], run_begun, run)
        if run.scratch.n_fired:
            cand_run(run.needs, run.scratch, 0)
        for i in range(<uint32_t>run.scratch.n_needs + n_always):
            number = always[i] if i < n_always else run.scratch.needs[i - n_always]
            if not self._is_open(run, number, segment):
                continue
            if self._own[number] == NONE:
                try_in(run, &self._expressions[number], number, segment, self._context)
                continue
            numbers[n_waiting], n_waiting = number, n_waiting + 1
            if n_waiting == LANES:
                self._sift(run, numbers, n_waiting, segment)
                n_waiting = 0
        if n_waiting:
            self._sift(run, numbers, n_waiting, segment)

    cdef void _sift(self, Run* run, const uint32_t* numbers, uint32_t n, size_t segment) noexcept nogil:
        """Try those of up to LANES expressions that their own automata let pass."""
        cdef uint32_t[LANES] own
        cdef uint32_t i, passed
        for i in range(n):
            own[i] = self._own[numbers[i]]
        passed = self._given.sieve.own(
            own, n, run.data + run.starts[segment], run.starts[segment + 1] - run.starts[segment])
        for i in range(n):
            if passed >> i & 1:
                try_in(run, &self._expressions[numbers[i]], numbers[i], segment, self._context)

    cdef void _search(self, Run* run) noexcept nogil:
        """Find the literals of the text and of its skeleton; leave them by segment."""
        cdef size_t* cuts
        cdef uint8_t* skeleton
        run.cuts = run.starts
        self._search_in(run, self._given.literals, run.data, run.n)
        if self._given.skeletons.head.n:
            skeleton = <uint8_t*>malloc(run.n + 1)
            cuts = <size_t*>malloc((run.n_segments + 1) * sizeof(size_t))
            if skeleton == NULL or cuts == NULL:
                run.is_overfull = True
            else:
                run_strip(run, self._stripped, skeleton, cuts)
                run.cuts, run.hint, run.column = cuts, 0, 1
                self._search_in(run, self._given.skeletons, skeleton, cuts[run.n_segments])
            free(skeleton)
            free(cuts)
        if run.n_pairs > 1 and not run.is_overfull:
            qsort(run.pairs, run.n_pairs, sizeof(Pair), run_by_segment)

    cdef void _search_in(self, Run* run, Literals literals, const uint8_t* text, size_t n) noexcept nogil:
        cdef LitScan scan
        memset(&scan, 0, sizeof(scan))
        scan.mode, scan.text, scan.n = LIT_CALL, text, n
        scan.call, scan.context = run_note, run
        literals.run(&scan)

    cdef object _report(self, Run* run):
        cdef size_t i
        cdef uint32_t number
        cdef Result* result
        cdef list matches = [], exhausted = []
        if run.n_touched > 1:
            qsort(run.touched, run.n_touched, sizeof(uint32_t), run_by_number)
        for i in range(run.n_touched):
            number = run.touched[i]
            result = &run.results[number]
            if result.state == 2:
                exhausted.append(number)
            else:
                matches.append((number, result.count, result.start, result.end))
        return matches, exhausted
