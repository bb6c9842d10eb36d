# What plans of memory promise, on files of true size: each budget either answers below it, as planned, or is refused at once with a way
# out that is one; pictures and sound in one turn; and the same inside a group of the system that may have no more. Programs hold different
# libraries, so that each is asked for its own plan, and a way out is tried by the program that it was named to.
#   truth.py COMMAND MEMORY_TURN E2B.gguf [E4B.gguf] [--long [budgets | groups]]     behind --long one half of it
import json, os, re, statistics, subprocess, sys, time

GB = 1e9
failures = []
tried = set()  # ways out that several refusals name


def check(ok, sentence):
    print(("ok    " if ok else "WRONG ") + sentence, flush=True)
    if not ok:
        failures.append(sentence)


def run(command, group=None):
    """(exit code, stdout, stderr, seconds, peak resident bytes) of a command, inside a memory group if there is one."""
    start = time.monotonic()
    enter = (lambda: open(group + "/cgroup.procs", "w").write(str(os.getpid()))) if group else None
    p = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=enter)
    out, err = p.stdout.read(), p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    return p.returncode, out, err.strip(), time.monotonic() - start, usage.ru_maxrss * 1024


def as_options(options):
    return [word for key, value in options.items() for word in ("--" + key, f"{value:.0f}" if isinstance(value, float) else value)]


def turn(model, group=None, **options):
    """(exit code, what memory_turn found or its sentence, seconds)."""
    code, out, err, seconds, _ = run([turn_program, model] + as_options(options), group)
    return code, json.loads(out) if code == 0 else err, seconds


# ---- budgets ----


class Library:
    """A program over the library that fills its context."""

    name = "library"

    def __init__(self, prompt, answer):
        self.prompt, self.answer = prompt, answer

    def ask(self, model, limit, context, options):
        """(exit code, planned, peak or the refusal, seconds)"""
        code, found, seconds = turn(model, memory=limit, context=context, prompt=min(self.prompt, context - self.answer), answer=self.answer, **options)
        if code != 0:
            return code, None, found, seconds
        # a context that is not filled is planned for all the same
        return code, found["planned_bytes"] if context <= self.prompt + self.answer else None, found["peak_bytes"], seconds


class Command:
    """The command, which answers a short prompt, or by `bench` fills the context that it plans for."""

    name = "command"

    def __init__(self, prompt, answer, fills):
        self.prompt, self.answer, self.fills = prompt, answer, fills

    def ask(self, model, limit, context, options):
        limited = ["--memory", f"{limit:.0f}"] + as_options(options)
        filled = self.fills and context == self.prompt + self.answer
        if filled:
            code, out, err, seconds, peak = run([command, "bench", model, "-p", self.prompt, "-n", self.answer, "-r", 1, "--json"] + limited)
        else:
            code, out, err, seconds, peak = run([command, "run", model, "--raw", "x", "-n", 4, "-c", context] + limited)
        if code != 0:
            return code, None, err, seconds
        if not filled:
            return code, None, peak, seconds
        planned, out, err, _, _ = run([command, "show", model, "--json", "-c", context] + limited)
        check(planned == 0, f"show plans what bench ran: {err}")
        return code, json.loads(out)["memory"]["peak_bytes"], peak, seconds


def ways_out(refusal, limit, context, options):
    """What a refusal names, as (limit, context, options)."""
    q8 = dict(options, kv="q8")
    if least := re.search(r"the least limit that works is (\d+)M, with a context of (\d+) tokens, keys and values of type (\w+) and size (\S+)", refusal):
        return [(float(least[1]) * 1e6, int(least[2]), dict(q8 if least[3] == "q8" else options, size=least[4]))]
    if both := re.search(r"a context of (\d+) tokens together with keys and values of type q8", refusal):
        return [(limit, int(both[1]), q8)]
    named = refusal.split("what fits is ")[-1]
    ways = []
    if "keys and values of type q8" in named:
        ways.append((limit, context, q8))
    if shorter := re.search(r"a context of (\d+) tokens", named):
        ways.append((limit, int(shorter[1]), options))
    if size := re.search(r"size (\S+?)(,|$)", named):
        ways.append((limit, context, dict(options, size=size[1])))
    return ways


def try_budget(program, model, name, limit, context, named=False, **options):
    key = (program.name, model, limit, context, tuple(sorted(options.items())))
    if key in tried:
        return
    tried.add(key)
    code, planned, found, seconds = program.ask(model, limit, context, options)
    what = f"{name}, {program.name}, {limit / GB:.3f} GB, {context} tokens" + "".join(f", {k} {v}" for k, v in options.items())
    if code == 0:
        check(found <= limit, f"{what}: peak {found / GB:.3f} GB")
        if planned:
            check(found <= planned <= 1.1 * found, f"{what}: planned {planned / GB:.3f} GB, {100 * planned / found - 100:.1f} % above the peak")
        return
    check(code == 3 and not named and seconds < 1, f"{what}: {'was named as a way out' if named else f'refused in {seconds:.2f} s'}: {found}")
    if named or code != 3:
        return
    ways = ways_out(found, limit, context, options)
    check(len(ways) > 0, f"{what}: ways out are named: {len(ways)}")
    for limit, context, options in ways:
        try_budget(program, model, name, limit, context, True, **options)


# ---- inside a group ----


def memory_group(limit):
    """A group of the system that may have so many bytes and no swap, or (None, why not)."""
    paths = dict(line.strip().split(":", 2)[1:] for line in open("/proc/self/cgroup"))
    try:
        if "memory" in paths:  # version 1
            parent = "/sys/fs/cgroup/memory" + paths["memory"].rstrip("/")
            path = f"{parent}/gemma3n-{os.getpid()}"
            os.mkdir(path)
            open(path + "/memory.limit_in_bytes", "w").write(str(int(limit)))
            if os.path.exists(path + "/memory.memsw.limit_in_bytes"):
                open(path + "/memory.memsw.limit_in_bytes", "w").write(str(int(limit)))
            return path, ""
        parent = "/sys/fs/cgroup" + paths[""].rstrip("/")
        path = f"{parent}/gemma3n-{os.getpid()}"
        os.mkdir(path)
        if not os.path.exists(path + "/memory.max"):
            os.rmdir(path)
            return None, "the memory controller is not handed down to new groups"
        open(path + "/memory.max", "w").write(str(int(limit)))
        open(path + "/memory.swap.max", "w").write("0")
        return path, ""
    except OSError as e:
        return None, str(e)


def highest_use(group):
    for name in ("memory.max_usage_in_bytes", "memory.peak"):
        if os.path.exists(f"{group}/{name}"):
            return int(open(f"{group}/{name}").read())
    return None


def forget(path):
    """Drops a file from the page cache, so that its pages are charged to who reads them next."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def forget_model(model):
    projector = os.path.join(os.path.dirname(model), "mmproj-" + os.path.basename(model))
    for path in (model, projector):
        if os.path.exists(path):
            forget(path)


speeds = ("prefill_tokens_per_s", "decode_tokens_per_s")
least_pairs, most_pairs = 5, 15


def spread(ratios):
    """How far the middle half of them lies apart, as a share of their middle."""
    ordered, n = sorted(ratios), len(ratios)
    return (ordered[(3 * n - 1) // 4] - ordered[n // 4]) / statistics.median(ratios)


def decided(pairs):
    """Whether more pairs would say no more."""
    return len(pairs) >= least_pairs and all(spread([p[key] for p in pairs]) <= 0.06 for key in speeds)


class Paced:
    """memory_turn after its first turn, which takes another when it is told to."""

    def __init__(self, model, group, options):
        enter = (lambda: open(group + "/cgroup.procs", "w").write(str(os.getpid()))) if group else None
        command = [turn_program, model] + as_options(options)
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=enter)
        self.first = self.found()

    def found(self):
        """What the turn found, or why there is nothing."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else f"ended with {self.process.wait()}: {self.process.stderr.read().strip()}"

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.found()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def inside_group(model, name, limit, **options):
    """The same turns inside a group and outside, by two programs in turn, whose order alternates. The one inside comes first: the file's
    pages are charged to its group. The middle of the pairs' ratios counts; work of others slows now one of a pair, now the other."""
    group, why = memory_group(limit)
    if not group:
        print(f"SKIPPED memory_group: {why}")
        return
    what = f"{name}, in a group of {limit / GB:.1f} GB"
    programs = []
    try:
        forget_model(model)
        for place, of_group in ((what, group), (name + ", outside", None)):
            programs.append(Paced(model, of_group, options))
            check(not isinstance(programs[-1].first, str), f"{place}: {programs[-1].first}")
            if isinstance(programs[-1].first, str):
                return
        pairs = []
        while not decided(pairs) and len(pairs) < most_pairs:
            order = programs if len(pairs) % 2 == 0 else programs[::-1]
            found = {p: p.turn() for p in order}
            inside, outside = found[programs[0]], found[programs[1]]
            if isinstance(inside, str) or isinstance(outside, str):
                check(False, f"{what}: {inside}; outside: {outside}")
                return
            pairs.append({key: inside[key] / outside[key] for key in speeds})
        faults = inside["major_faults_after_first"]
        check(faults == 0, f"{what}: {faults} pages were read from the disk after the first token of all turns, {programs[0].first['major_faults'] - programs[0].first['major_faults_after_first']} before it")
        check(inside["peak_bytes"] <= limit, f"{what}: peak {inside['peak_bytes'] / GB:.3f} GB")
        used = highest_use(group)
        check(used is None or used > 0.75 * limit, f"{what}: it was charged for {used / GB if used else 0:.3f} GB: the file's pages are its own")
        for key in speeds:
            ratios = [p[key] for p in pairs]
            check(statistics.median(ratios) >= 0.9, f"{what}: {key} inside / outside: {statistics.median(ratios):.3f}, the middle of " + ", ".join(f"{r:.3f}" for r in ratios))
    finally:
        for p in programs:
            p.end()
        os.rmdir(group)


def too_small_a_group(model, name, limit, **options):
    """That inside_group can tell: where the weights do not fit, pages are read again and again, or the program is ended."""
    group, why = memory_group(limit)
    if not group:
        return
    try:
        forget_model(model)
        code, found, _ = turn(model, group, **options)
        check(code != 0 or found["major_faults_after_first"] > 0, f"{name}, in a group of {limit / GB:.1f} GB, which is too small: {found if code == 0 else f'ended with {code}'}")
    finally:
        os.rmdir(group)


command, turn_program = sys.argv[1:3]
models = [a for a in sys.argv[3:] if a.endswith(".gguf")]
long = "--long" in sys.argv
half = sys.argv[-1] if sys.argv[-1] in ("budgets", "groups") else None
budgets = [0.8, 1.0, 1.2, 1.5, 1.68, 1.75, 1.8, 2.0, 2.4, 2.8, 3.2, 4.0]
for model, name in zip(models, ("E2B", "E4B")):
    media = {"image": 768, "sound": 30} if name == "E2B" else {"image": 768}
    most = 2.0 if name == "E2B" else 3.0
    answer = 512 if long else 32
    code, found, _ = turn(model, answer=answer, prompt=600, context=1200, **media)
    check(code == 0 and found["peak_bytes"] <= most * GB, f"{name}, {media}, an answer of {answer}, {most} GB at most: {found}")
    if code == 0:
        check(found["peak_bytes"] <= found["planned_bytes"] <= 1.1 * found["peak_bytes"], f"{name}, {media}: planned {found['planned_bytes'] / GB:.3f} GB, {100 * found['planned_bytes'] / found['peak_bytes'] - 100:.1f} % above the peak")
    if long and half != "groups":
        for limit in budgets:
            for prompt in (496, 2032):
                try_budget(Library(prompt, 16), model, name, limit * GB, prompt + 16)
            try_budget(Command(496, 16, fills=limit in (1.75, 2.4, 3.2)), model, name, limit * GB, 512)
        for program in (Library(496, 16), Command(496, 16, fills=False)):
            try_budget(program, model, name, (1.9 if name == "E2B" else 3.0) * GB, 32768)
    if long and half != "budgets":
        inside_group(model, name, most * GB, prompt=512, answer=128, context=1024, paced=64)
        inside_group(model, name + " with " + " and ".join(media), most * GB, prompt=600, answer=512, context=1200, paced=64, **media)
    if not long:
        for limit in (1.0, 1.75, 2.0):
            for program in (Library(240, 16), Command(240, 16, fills=limit == 1.75)):
                try_budget(program, model, name, limit * GB, 256)
        if name == "E2B":
            inside_group(model, name, most * GB, prompt=128, answer=32, context=256, paced=16)
    if name == "E2B" and half != "budgets":
        too_small_a_group(model, name, 1.3 * GB, prompt=64, answer=3, context=128)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
