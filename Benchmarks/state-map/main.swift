import Foundation
import LedgerCrypto
import Merkle

// state-map-bench CANDIDATE KEYS [BLOCKS [DIRECTORY]]: one JSON object a line.
// A block changes 500 keys: 400 present ones, each read before, and 100 new ones.

let suite = Suite.ed25519SHA256
let updatesPerBlock = 400
let insertsPerBlock = 100

struct Source {
    var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// 100 to 600 bytes.
    mutating func value() -> [UInt8] {
        let count = 100 + Int(next() % 501)
        var bytes = [UInt8](repeating: 0, count: count)
        for index in stride(from: 0, to: count, by: 8) {
            let word = next()
            for offset in 0..<min(8, count - index) {
                bytes[index + offset] = UInt8(truncatingIfNeeded: word >> UInt64(8 * offset))
            }
        }
        return bytes
    }
}

func key(_ number: Int) -> Digest {
    suite.digest([1] + withUnsafeBytes(of: number.littleEndian) { Array($0) })
}

func absentKey(_ number: Int) -> Digest {
    suite.digest([2] + withUnsafeBytes(of: number.littleEndian) { Array($0) })
}

func status(_ field: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(field) } ?? ""
    return (Int(line.split(separator: " ").dropLast().last ?? "0") ?? 0) / 1024
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(body)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}

/// CPU time of this thread, which noisy neighbours disturb less than the wall clock.
func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

/// In key order, so that each bucket is written once; rows therefore start out well packed.
func populate(_ candidate: some Candidate, _ keys: Int, _ source: inout Source) throws {
    let sorted = (0..<keys).map { key($0) }.sorted()
    for start in stride(from: 0, to: keys, by: 100_000) {
        let batch = sorted[start..<min(start + 100_000, keys)]
        try candidate.apply(batch.map { ($0, source.value()) })
    }
}

func blockChanges(_ keys: inout Int, _ source: inout Source) -> [Change] {
    var chosen = Set<Int>()
    while chosen.count < updatesPerBlock { chosen.insert(Int(source.next() % UInt64(keys))) }
    chosen.formUnion(keys..<keys + insertsPerBlock)
    keys += insertsPerBlock
    return chosen.map { (key($0), source.value()) }.sorted { $0.key < $1.key }
}

/// Writes the keys that a measurement starts from.
func prepare<C: Candidate>(_ type: C.Type, keys: Int, path: String) throws {
    var source = Source()
    let candidate = try C(path: path, suite: suite)
    try populate(candidate, keys, &source)
    try candidate.checkpoint()
}

func measure<C: Candidate>(_ type: C.Type, keys start: Int, blocks: Int, path: String) throws {
    var keys = start
    var source = Source(state: 2)
    var report: [String: Any] = ["candidate": "\(C.self)", "keys": start, "blocks": blocks]
    var opened: C?
    let beforeOpening = threadSeconds()
    report["open_s"] = rounded(try seconds { opened = try C(path: path, suite: suite) })
    report["open_cpu_s"] = rounded(threadSeconds() - beforeOpening)
    guard let candidate = opened else { return }
    var times: [Double] = []
    var cpu = 0.0
    for _ in 0..<blocks {
        let changes = blockChanges(&keys, &source)
        let before = threadSeconds()
        times.append(
            try seconds {
                for change in changes { _ = try candidate.value(for: change.key) }
                try candidate.apply(changes)
            })
        cpu += threadSeconds() - before
    }
    times.sort()
    report["updates_per_s"] = Int(Double(blocks * 500) / times.reduce(0, +))
    report["cpu_us_per_update"] = rounded(cpu * 1e6 / Double(blocks * 500))
    report["block_ms_p50"] = rounded(times[times.count / 2] * 1000)
    report["block_ms_p99"] = rounded(times[times.count * 99 / 100] * 1000)
    report["resident_mib"] = status("VmRSS")
    report["resident_peak_mib"] = status("VmHWM")
    var present = 0
    var absent: Int?
    for _ in 0..<1000 {
        present += try candidate.proofBytes(for: key(Int(source.next() % UInt64(keys)))) ?? 0
        if let bytes = try candidate.proofBytes(for: absentKey(Int(source.next() >> 8))) {
            absent = (absent ?? 0) + bytes
        }
    }
    report["proof_bytes"] = present / 1000
    report["absence_proof_bytes"] = absent.map { $0 / 1000 } ?? "none"
    try candidate.checkpoint()
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    report["file_bytes_per_key"] = size / keys
    let line = try JSONSerialization.data(withJSONObject: report, options: [.sortedKeys])
    print(String(decoding: line, as: UTF8.self))
}

let candidates: [(name: String, type: any Candidate.Type)] = [
    ("bucket-rows", BucketRows.self), ("bucket-rows-at-once", BucketRowsAtOnce.self),
    ("bucket-rows-of-4", BucketRowsOf4.self), ("bucket-rows-of-16", BucketRowsOf16.self),
    ("split-tables", SplitTables.self), ("operation-log", OperationLog.self),
    ("packed-trie", PackedTrie.self),
]
let arguments = CommandLine.arguments
guard arguments.count >= 3, let keys = Int(arguments[2]),
    let candidate = candidates.first(where: { $0.name == arguments[1] })
else {
    print("usage: state-map-bench CANDIDATE KEYS [BLOCKS [DIRECTORY]]")
    print("candidates: " + candidates.map(\.name).joined(separator: " "))
    exit(2)
}
let blocks = arguments.count > 3 ? Int(arguments[3]) ?? 200 : 200
if arguments.count > 5 {
    try measure(candidate.type, keys: keys, blocks: blocks, path: arguments[5])
    exit(0)
}
let parent = arguments.count > 4 ? arguments[4] : NSTemporaryDirectory()
let folder = "\(parent)/state-map-\(ProcessInfo.processInfo.processIdentifier)"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: folder) }
let path = folder + "/state.db"
try prepare(candidate.type, keys: keys, path: path)
// A process of its own, so that what preparing needed for a moment does not count as resident.
let child = Process()
child.executableURL = URL(filePath: arguments[0])
child.arguments = [candidate.name, "\(keys)", "\(blocks)", parent, path]
try child.run()
child.waitUntilExit()
