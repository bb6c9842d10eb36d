# What plans of memory promise, on files of true size: each budget either answers below it, as planned, or is refused at once with a way
# out that is one; pictures and sound in one turn; and the same inside a group of the system that may have no more.
#   truth.py COMMAND MEMORY_TURN E2B.gguf [E4B.gguf] [--long]
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


def turn(model, group=None, **options):
    command = [turn_program, model]
    for key, value in options.items():
        command += ["--" + key, f"{value:.0f}" if isinstance(value, float) else value]
    code, out, err, seconds, peak = run(command, group)
    return code, json.loads(out) if code == 0 else err, seconds, peak


def planned(model, limit, context, kv=None, size=None):
    options = [] if kv is None else ["--kv", kv]
    options += [] if size is None else ["--size", size]
    code, out, err, _, _ = run([command, "show", model, "--json", "--memory", f"{limit:.0f}", "-c", context] + options)
    return json.loads(out)["memory"]["peak_bytes"] if code == 0 else err


def try_budget(model, name, limit, prompt, answer, depth=0, **options):
    context = options.pop("context", prompt + answer)
    prompt = min(prompt, context - answer)
    key = (model, limit, context, prompt, tuple(sorted(options.items())))
    if key in tried:
        return
    tried.add(key)
    code, found, seconds, peak = turn(model, memory=limit, context=context, prompt=prompt, answer=answer, **options)
    what = f"{name}, {limit / GB:.3f} GB, {context} tokens" + "".join(f", {k} {v}" for k, v in options.items())
    if code == 0:
        plan = planned(model, limit, context, options.get("kv"), options.get("size"))
        check(not isinstance(plan, str), f"{what}: is planned for too: {plan}")
        check(found["peak_bytes"] <= limit, f"{what}: peak {found['peak_bytes'] / GB:.3f} GB, {found['prefill_tokens_per_s']:.1f} and {found['decode_tokens_per_s']:.1f} tokens/s")
        if context <= prompt + answer and not isinstance(plan, str):  # a context that is not filled is planned for all the same
            check(found["peak_bytes"] <= plan <= 1.1 * found["peak_bytes"], f"{what}: planned {plan / GB:.3f} GB, {100 * plan / found['peak_bytes'] - 100:.1f} % above the peak")
        return
    check(code == 3 and depth == 0, f"{what}: {'refused' if depth == 0 else 'was named as a way out'}: {found}")
    if depth > 0:
        return
    code, _, err, seconds, _ = run([command, "run", model, "--raw", "x", "--memory", f"{limit:.0f}", "-c", context])
    check(code == 3 and seconds < 1, f"{what}: the command refuses in {seconds:.2f} s: {err}")
    least = re.search(r"the least limit that works is (\d+)M, with a context of (\d+) tokens, keys and values of type (\w+) and size (\S+)", found)
    together = re.search(r"a context of (\d+) tokens together with keys and values of type q8", found)
    if least:
        if least[3] == "q8":
            options["kv"] = "q8"
        try_budget(model, name, float(least[1]) * 1e6, prompt, answer, 1, context=int(least[2]), size=least[4], **options)
        return
    if together:
        try_budget(model, name, limit, prompt, answer, 1, context=int(together[1]), kv="q8", **options)
        return
    ways = found.split("what fits is ")[1]
    if "keys and values of type q8" in ways:
        try_budget(model, name, limit, prompt, answer, 1, context=context, kv="q8", **options)
    if smaller := re.search(r"a context of (\d+) tokens", ways):
        try_budget(model, name, limit, prompt, answer, 1, context=int(smaller[1]), **options)
    if size := re.search(r"size (\S+?)(,|$)", ways):
        try_budget(model, name, limit, prompt, answer, 1, context=context, size=size[1], **options)


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


def inside_group(model, name, limit, rounds, **options):
    group, why = memory_group(limit)
    if not group:
        print(f"SKIPPED memory_group: {why}")
        return
    ratios = {"prefill_tokens_per_s": [], "decode_tokens_per_s": []}
    try:
        for i in range(rounds):
            code, free, _, _ = turn(model, **options)
            check(code == 0, f"{name}: without a group: {free}")
            forget(model)
            code, held, _, peak = turn(model, group, **options)
            check(code == 0, f"{name}, in a group of {limit / GB:.1f} GB: {held}")
            if code != 0:
                return
            check(held["major_faults_after_first"] == 0, f"{name}: {held['major_faults_after_first']} pages were read from the disk again after the first token, {held['major_faults']} in all")
            for key, values in ratios.items():
                values.append(held[key] / free[key])
        used = highest_use(group)
        check(used is None or used > 0.75 * limit, f"{name}: the group was charged for {used / GB if used else 0:.3f} GB: the file's pages are its own")
        for key, values in ratios.items():
            check(statistics.median(values) >= 0.9, f"{name}: {key} inside / outside: " + ", ".join(f"{v:.3f}" for v in values))
    finally:
        os.rmdir(group)


command, turn_program = sys.argv[1:3]
models = [a for a in sys.argv[3:] if not a.startswith("--")]
long = "--long" in sys.argv
budgets = [0.8, 1.0, 1.2, 1.5, 1.68, 1.75, 1.8, 2.0, 2.4, 2.8, 3.2, 4.0]
for model, name in zip(models, ("E2B", "E4B")):
    if long:
        for limit in budgets:
            try_budget(model, name, limit * GB, 496, 16)
            try_budget(model, name, limit * GB, 2032, 16)
        try_budget(model, name, (1.9 if name == "E2B" else 3.0) * GB, 496, 16, context=32768)
    else:
        for limit in (1.0, 1.75, 2.0):
            try_budget(model, name, limit * GB, 240, 16)
    media = {"image": 768, "sound": 30} if name == "E2B" else {"image": 768}
    most = 2.0 if name == "E2B" else 3.0
    answer = 512 if long else 32
    code, found, _, _ = turn(model, answer=answer, prompt=600, context=1200, **media)
    check(code == 0 and found["peak_bytes"] <= most * GB, f"{name}, {media}, an answer of {answer}: {found}")
    if long:
        inside_group(model, name, most * GB, 3, prompt=512, answer=128, context=1024, turns=2)
        inside_group(model, name + " with " + " and ".join(media), most * GB, 1, prompt=600, answer=512, context=1200, turns=2, **media)
    elif name == "E2B":
        inside_group(model, name, most * GB, 1, prompt=128, answer=32, context=256, turns=2)
print(f"{len(failures)} wrong")
sys.exit(bool(failures))
