"""What an administrator can do, as functions; the command line and the console both call these and nothing else.

Every function takes a `Context` (configuration, store, who acts, clock) first. What changes anything is written to
the audit trail with that actor. Text for people is plain English; data is what `--json` and the API print.

    context.py     Context(config, store, actor, clock)
    errors.py      ServiceError > NotFound, Refused, NotRunning, BadRequest     (public, one plain sentence each)

    messages.py    find(context, query: MessageQuery) -> list[MessageRow]            newest first
                   show(context, queue_id) -> tuple[MessageRow, list[Event]]         NotFound
                   body(context, queue_id) -> bytes                                  as received; NotFound
                   explain(row: MessageRow) -> str                                   plain English, a few paragraphs
                   as_dict(row, events=()) -> dict                                   the JSON form
    queue.py       entries(context, *, text="", recipient="", sender="", held_only=False) -> Iterator[dict]
                       postqueue -j: queue_name (incoming, active, deferred, hold), queue_id, arrival_time (epoch s),
                       message_size, forced_expire, sender, recipients [{address, delay_reason}]
                   shape(context) -> list[dict]                                      a row a domain, by age
                   hold(context, queue_ids, *, reason="") -> int                     rows changed; so the next three
                   unhold(context, queue_ids, *, reason="") -> int
                   delete(context, queue_ids, *, reason="") -> int                   recipients become discarded
                   requeue(context, queue_ids) -> int                                due now
                   flush(context, domain="") -> int                                  due now, all or one domain
                   reroute(context, queue_id, address, *, n=None) -> int             other recipient address
                       queue_ids: a sequence of queue ids, or ("ALL",)
    quarantine.py  entries(context, *, area="", text="", recipient="", held=True, before_id="", limit=50)
                       -> list[MessageRow]                                           quarantined and held, newest first
                   release(context, queue_id, *, n=None, force=False, reason="", teach=False) -> Release
                       original bytes and envelope, scanned again with today's rules. Refused when the new verdict is
                       malware or something could not be inspected, unless force=True with a reason
                   delete(context, queue_id, *, n=None, reason="") -> int
    learning.py    learn(context, raws, lesson) -> Taught; learn_message(context, queue_id, lesson)  spam, ham, forget
                   train_on(mails, *, version) -> Trained; use(context, trained), use_shipped(context) -> dict
                   state(config) -> dict; lesson_of(config, raw) -> str
    ledger.py      verify(context) -> dict       accepted queued delivered held discarded bounced redirected consistent
                                                 problems
                   show(context, queue_id) -> dict                                   rows and history of one message
    status.py      collect(context) -> dict      version, running, processes, counters, queue, counts, disk, packs,
                                                 problems, ready
    keys.py        rotate(context) -> str        id of the new master key
                   entries(context) -> list[dict]
    rules.py       entries(config) -> list[dict]; add(context, path) -> dict; remove, enable, disable(context, name);
                   lint(paths) -> list[dict]; run_samples(config, name="") -> list[dict]
    scanning.py    current(config) -> Pipeline   today's rules; scan_again(context, row) -> Verdict;
                   self_test(config) -> list[str]
    users.py       verify(context, name, password) -> UserRow | None                 same time for unknown users
                   create(context, name, role, password=None) -> str                 returns the password
                   set_password(context, name, password, *, must_change=False)
                   set_disabled(context, name, disabled); entries(context) -> list[UserRow]; ROLES
    reload.py      request(context) -> int       tells the running supervisor to reload; its pid; NotRunning
"""
