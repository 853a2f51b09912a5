"""One expression tried at one text by PCRE2: under which limits, and how long texts are gone through.

Which expressions are tried at which texts is pcre2.pyx.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from mxward.bindings.libpcre2 cimport (
    CLOCK_MONOTONIC, PCRE2_ANCHORED, PCRE2_ERROR_JIT_STACKLIMIT, PCRE2_ERROR_NOMATCH, PCRE2_INFO_ALLOPTIONS,
    PCRE2_INFO_FIRSTCODETYPE, PCRE2_INFO_JITSIZE, PCRE2_NO_JIT, clock_gettime, pcre2_code, pcre2_get_ovector_pointer,
    pcre2_jit_match, pcre2_match, pcre2_match_context, pcre2_match_context_create, pcre2_match_data,
    pcre2_pattern_info, pcre2_set_depth_limit, pcre2_set_heap_limit, pcre2_set_match_limit, pcre2_set_offset_limit,
    timespec,
)
from mxward.bindings.regexrun cimport Result, Run

cdef enum:
    STEPS = 100_000      # of backtracking, of one try at one text
    HEAP_KB = 4096       # of one match that the JIT's stack did not suffice for
    LONG = 65_536        # bytes of a text in which an expression is tried from a few places at a time
    AT_ONCE = 1 << 28    # places that are tried at once, times bytes of the text
    LOOK = 16            # tries between looks at the clock


ctypedef int (*Match)(
    const pcre2_code*, const uint8_t*, size_t, size_t, uint32_t, pcre2_match_data*, pcre2_match_context*
) noexcept nogil


cdef struct Expression:
    pcre2_code* code
    Match call           # the way to match it: by the JIT or interpreted
    uint32_t bound       # matches that are counted, at least 1
    bint is_windowed     # may be tried from a few places at a time


cdef inline void try_about(Expression* expression, bint is_placed) noexcept nogil:
    """Tell from the compiled code how it is matched. `is_placed`: it may know where a search began."""
    cdef uint32_t options = 0, first = 0
    cdef size_t jit_size = 0
    pcre2_pattern_info(expression.code, PCRE2_INFO_JITSIZE, &jit_size)
    pcre2_pattern_info(expression.code, PCRE2_INFO_ALLOPTIONS, &options)
    pcre2_pattern_info(expression.code, PCRE2_INFO_FIRSTCODETYPE, &first)
    expression.call = pcre2_jit_match if jit_size else pcre2_match
    # not those that begin where a line does (2) either
    expression.is_windowed = not options & PCRE2_ANCHORED and first != 2 and not is_placed


cdef inline void try_limit(pcre2_match_context* context) noexcept nogil:
    pcre2_set_match_limit(context, STEPS)
    pcre2_set_depth_limit(context, STEPS)
    pcre2_set_heap_limit(context, HEAP_KB)


cdef inline uint64_t try_clock_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <uint64_t>now.tv_sec * 1_000_000_000 + <uint64_t>now.tv_nsec


cdef inline int try_find(Run* run, const Expression* expression, const uint8_t* text, size_t size, size_t at,
                         pcre2_match_context* context) noexcept nogil:
    """What PCRE2 says: above 0 for a match, whose place is in run.matched."""
    cdef int found = expression.call(expression.code, text, size, at, 0, run.matched, context)
    if found == PCRE2_ERROR_JIT_STACKLIMIT:
        found = pcre2_match(expression.code, text, size, at, PCRE2_NO_JIT, run.matched, context)
    return found


cdef inline int try_find_long(Run* run, const Expression* expression, const uint8_t* text, size_t size,
                              size_t at) noexcept nogil:
    """As `try_find`, from a few places at a time: PCRE2's limits are for each place alone, and one place may take time
    that grows with the text. Between them the clock is looked at. `size` is not 0."""
    cdef size_t width = <size_t>AT_ONCE // size + 1
    cdef int found
    if run.windows == NULL:
        run.windows = pcre2_match_context_create(NULL)
        if run.windows == NULL:
            return PCRE2_ERROR_NOMATCH - 1  # it gave up
        try_limit(run.windows)
    while True:
        if run.deadline_ns and try_clock_ns() > run.deadline_ns:
            run.is_late = True
            return PCRE2_ERROR_NOMATCH - 1
        pcre2_set_offset_limit(run.windows, at + width)
        found = try_find(run, expression, text, size, at, run.windows)
        if found != PCRE2_ERROR_NOMATCH or size - at <= width:
            return found
        at += width + 1  # at most size


cdef inline void try_in(Run* run, const Expression* expression, uint32_t number, size_t segment,
                        pcre2_match_context* context) noexcept nogil:
    """Match expression `number` in one segment, as often as its bound has room for; note what is found or given up."""
    cdef Result* result = &run.results[number]
    cdef const uint8_t* text = run.data + run.starts[segment]
    cdef size_t size = run.starts[segment + 1] - run.starts[segment], at = 0
    cdef size_t* place = pcre2_get_ovector_pointer(run.matched)
    cdef int found
    while result.state == 0 and at <= size:
        run.n_tries += 1
        if run.n_tries % <uint32_t>LOOK == 0 and run.deadline_ns and try_clock_ns() > run.deadline_ns:
            run.is_late = True
        if run.is_late:
            found = PCRE2_ERROR_NOMATCH - 1  # any error: it gave up
        elif size - at > <size_t>LONG and expression.is_windowed:
            found = try_find_long(run, expression, text, size, at)
        else:
            found = try_find(run, expression, text, size, at, context)
        if found == PCRE2_ERROR_NOMATCH:
            return
        if result.count == 0:
            run.touched[run.n_touched] = number
            run.n_touched += 1
        if found < 0:
            if result.count:  # it did match before: what is not known is how often
                result.state = 1
            else:
                result.state = 2
                result.count = 1
            return
        if result.count == 0:
            result.start = run.starts[segment] - run.origins[segment] + place[0]
            result.end = run.starts[segment] - run.origins[segment] + place[1]
        result.count += 1
        if result.count >= expression.bound:
            result.state = 1
        at = place[1] if place[1] > at and place[1] > place[0] else place[1] + 1
