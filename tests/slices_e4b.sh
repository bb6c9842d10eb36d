#!/bin/sh
# Slices at true size: a synthetic E4B in Q4_0 and the E2B that lies in it.
#   tests/slices_e4b.sh [path of the gemma3n command, default build/release/gemma3n] [an E4B in .gguf; default one is synthesised]
# One token: the slice in place and the exported file have the same logits, bit for bit. Resident memory after a change to the smaller
# size with --release: within 10 % of what `show` plans. Then the speeds of both, which a busy machine may spoil: printed, and asked for
# only with GEMMA3N_SPEED=1 (decode and prefill at least 1.6 times). Needs 7 GB of disk (2.5 GB with a model given) and 3 GB of memory.
set -eu
command=$(realpath "${1:-build/release/gemma3n}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${2:-}" ]; then
    model=$(realpath "$2")
else
    model=$work/e4b.gguf
    free=$(df --output=avail -k "$work" | tail -1)
    [ "$free" -ge 8000000 ] || { echo "slices_e4b: skipped, $work has no room for 7 GB"; exit 77; }
    "$command" synth --size e4b --type q4_0 -o "$model"
fi
"$command" slice "$model" -o "$work/e2b.gguf" --to e2b
"$command" trace "$model" --size e2b --ids 2 --only '^logits$' -o "$work/in_place"
"$command" trace "$work/e2b.gguf" --ids 2 --only '^logits$' -o "$work/exported"
cmp "$work/in_place" "$work/exported"
echo "ok   the slice in place is the exported file, bit for bit"
"$command" show "$model" --json > "$work/show.json"
python3 - "$command" "$model" "$work/show.json" << 'END'
import json, os, re, subprocess, sys, time
command, model, show = sys.argv[1:]
sizes = {s["name"]: s for s in json.load(open(show))["sizes"]}
chat = subprocess.Popen([command, "run", model, "--raw", "--release", "-n", "1", "--temp", "0", "-t", "2"], stdin=(tty := os.openpty())[1], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
def until(what):
    seen = b""
    while what not in seen:
        got = os.read(chat.stderr.fileno(), 4096)
        if not got: sys.exit(f"slices_e4b: the chat ended: {seen}")
        seen += got
def resident():
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{chat.pid}/status").read()).group(1))
until(b"> "); os.write(tty[0], b"Hello\n"); until(b"> ")
full = resident()
os.write(tty[0], b"/size e2b\n"); until(b"> "); time.sleep(1)
small = resident()
other = full - sizes["full"]["resident_bytes"]  # scratch, cache, tokenizer: what is not weights
plan = sizes["e2b"]["resident_bytes"] + other
print(f"resident: full {full/1e9:.3f} GB, after /size e2b {small/1e9:.3f} GB, planned {plan/1e9:.3f} GB ({sizes['e2b']['resident_bytes']/1e9:.3f} of weights in whole pages)")
os.write(tty[0], b"/size full\n"); until(b"> "); os.write(tty[0], b"Hello\n"); until(b"> ")
again = resident()
os.write(tty[0], b"/bye\n"); chat.wait()
print(f"          grown back {again/1e9:.3f} GB")
good = abs(small - plan) <= 0.1 * plan and again <= 1.02 * full
print("ok   memory given back and taken again" if good else "FAIL memory")
sys.exit(not good)
END
"$command" bench "$model" --size e4b,e2b -t 2 -p 256 -n 16 -r 3 --json > "$work/bench.json"
python3 - "$work/bench.json" "${GEMMA3N_SPEED:-}" << 'END'
import json, sys
e2b = json.load(open(sys.argv[1]))["sizes"][1]
print(f"e2b out of e4b: prefill {e2b['prefill_speedup']:.2f} times (multiplications allow {e2b['prefill_ceiling']:.2f}), decode {e2b['decode_speedup']:.2f} times (bytes allow {e2b['decode_ceiling']:.2f})")
sys.exit(bool(sys.argv[2]) and not (e2b["prefill_speedup"] >= 1.6 and e2b["decode_speedup"] >= 1.6))
END
