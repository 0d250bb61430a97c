"""Pure rooms answer the same to the same inputs: no clock, thread, file, socket, random number, environment, and no order that
comes from addresses or hashes.

Two looks: at the source, for a message with a line; and, given the libraries, at the symbols they ask others for, which no
spelling can hide. The engine's Rust is looked at by source."""

import re
import subprocess

import tree

FORBIDDEN_SOURCE = [
    (r"\b(system|steady|high_resolution|utc|file)_clock\b|\bclock_gettime\b|\bgettimeofday\b|\bstd::(time|clock)\s*\(",
     "reads a clock"),
    (r"\bstd::(jthread|thread|async)\b|\bpthread_create\b|\bsleep_(for|until)\b|\bget_id\s*\(", "has to do with threads"),
    (r"\bstd::filesystem\b|\bstd::[io]?fstream\b|\bfopen\b|\bstd::(cout|cerr|cin)\b|\bprintf\s*\(", "reads or writes files"),
    (r"\bboost::asio\b|\bsocket\s*\(|\bsys/socket\.h\b|<netinet/", "has to do with sockets"),
    (r"\brandom_device\b|\bmt19937|\bstd::rand\b|\bgetrandom\b|\barc4random\b", "draws random numbers of its own"),
    (r"\bgetenv\b|\bgetpid\b|\bgethostname\b", "looks at the process or its machine"),
    (r"\b(?:std::|absl::)(?:map|set|multimap|btree_map|btree_set)<[^<>,]*\*\s*[,>]", "orders by address"),
    (r"\bstd::hash<[^<>]*\*\s*>", "hashes an address"),
    (r"\bstd::unordered_(?:multi)?(?:map|set)\b", "is a hash table of unspecified order; absl's are checked not to be walked"),
]
UNORDERED = r"\babsl::(?:flat|node)_hash_(?:map|set)<[^;{}()]*>\s*(\w+)\s*[;{=]"

FORBIDDEN_RUST = [
    (r"\bstd::(time|thread|fs|net|env|process|io)\b", "has to do with clocks, threads, files, sockets or the process"),
    (r"\b(rand|getrandom|fastrand)::", "draws random numbers"),
    (r"\b(?:HashMap|HashSet)\b", "is a hash table whose order differs from run to run; BTreeMap and BTreeSet do not"),
]

FORBIDDEN_SYMBOL = re.compile(
    r"(clock_gettime|gettimeofday|timespec_get|time|clock|nanosleep|usleep|sleep"
    r"|rand|srand|rand_r|random|[dlm]rand48|getrandom|getentropy|arc4random\w*"
    r"|open(at)?(64)?|creat(64)?|fopen(64)?|read|readv|pread\w*|write|writev|pwrite\w*|fwrite|fsync|fdatasync|[fl]?stat(64)?"
    r"|unlink|rename|mkdir|socket|connect|bind|listen|accept4?|send\w*|recv\w*|poll|epoll_\w+"
    r"|getenv|secure_getenv|getpid|gethostname|uname|pthread_create|pthread_self|fork|system|syscall)"
    r"|std::chrono::.*::now\(\)|std::random_device::.*|std::thread::.*|std::filesystem::.*|std::basic_[io]?f(stream|ilebuf)<.*"
    r"|std::this_thread::__sleep_for\(.*")


def check(root, libraries=()):
    problems = []
    table = tree.rooms(root)
    for room in table.values():
        if room.pure:
            problems += _sources(root, root / "src" / room.name)
    for path in tree.files(root, {".rs"}, ["engine/src"]):
        if "tests" not in path.parts and path.name != "tests.rs":
            problems += _patterns(root, path, tree.code_of(path.read_text()), FORBIDDEN_RUST)
    for library in libraries:
        name = library.stem.removeprefix("libconcord_")
        if name in table and table[name].pure:
            problems += _symbols(library)
    return problems


def _sources(root, folder):
    texts = {path: tree.code_of(path.read_text()) for path in tree.files(folder, tree.CODE) if not tree.is_test(path)}
    tables = {match.group(1) for text in texts.values() for _, match in tree.matches(UNORDERED, text)}
    for path, text in texts.items():
        yield from _patterns(root, path, text, FORBIDDEN_SOURCE)
        for name in sorted(tables):
            walk = rf"for\s*\([^;()]*:\s*(?:\w+(?:\.|->))*{name}\s*\)|\b{name}\.c?begin\s*\("
            for line, _ in tree.matches(walk, text):
                yield tree.problem(root, path, line, f"walks the hash table {name}: its order is no one's")


def _patterns(root, path, text, patterns):
    for pattern, complaint in patterns:
        for line, match in tree.matches(pattern, text):
            yield tree.problem(root, path, line, f"`{match.group(0).strip()}` {complaint}; this room is pure")


def _symbols(library):
    listing = subprocess.run(["nm", "--undefined-only", "--demangle", str(library)], check=True, capture_output=True, text=True)
    member = ""
    for line in listing.stdout.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif " U " in line:
            symbol = line.split(" U ", 1)[1].split("@")[0].strip()
            if FORBIDDEN_SYMBOL.fullmatch(symbol):
                yield f"{library.name}({member}): asks for {symbol}; this room is pure"
