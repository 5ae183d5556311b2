import ArgumentParser
import Dispatch
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Synchronization

/// Falsified bundles for the verifier: each is refused, or proves exactly what the true one proves.
struct Bundles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundles",
        abstract: "Falsified evidence bundles for the verifier. / 篡改证据包",
        discussion: """
            Every bit of each bundle is flipped, every part dropped, repeated, exchanged and replaced, and parts of all other bundles
            of its suite are put in, those of other ledgers too. Without folders the ledgers are made here, two of each suite. Each
            folder holds one ledger's genesis.cbor and bundles of it (*.bundle).
            不指定文件夹时自行生成账本，每个密码套件两个。每个文件夹为一个账本：genesis.cbor 与若干 *.bundle。
            """)

    @Argument(help: "Folders, one for each ledger. / 文件夹") var folders: [String] = []
    @Option(help: "Events of a ledger that is made here. / 生成账本的事件数") var events = 25
    @Option(help: "The same with SM2. / 国密账本的事件数") var eventsSM2 = 10

    static let fileBytesMax = 1 << 20

    struct Ledger {
        let truths: [Truth]
        /// All that the true bundles prove to be on the ledger.
        let headers: [Header]

        init(_ truths: [Truth]) {
            self.truths = truths
            headers = truths.flatMap { Facts.headers($0.mutants.bytes, $0.answer) }
        }
    }

    struct Truth {
        let name: String
        /// Whose reader's: from genesis on, of a detached one from its header on.
        let verifier: Verifier
        let mutants: BundleMutants
        let answer: ProvenAnswer
    }

    struct Tally {
        var mutants = 0
        var same = 0
        var faults = 0

        static func += (left: inout Tally, right: Tally) {
            left.mutants += right.mutants
            left.same += right.same
            left.faults += right.faults
        }
    }

    func run() throws {
        let ledgers = try folders.isEmpty ? made() : folders.map { try read(folder: $0) }
        let all = ledgers.flatMap(\.truths)
        var total = Tally()
        for (ledger, truth) in ledgers.flatMap({ ledger in ledger.truths.map { (ledger, $0) } }) {
            let others = all.filter { $0.answer.suite == truth.answer.suite }.map(\.mutants)
            let tally = attack(truth, of: ledger, others: others)
            print(
                "\(truth.name): \(truth.mutants.bytes.count) bytes, \(tally.mutants) mutants, \(tally.same) prove the same, \(tally.faults) something else"
            )
            // This takes long: each line is seen when it is written, in a file too.
            fflush(nil)
            total += tally
        }
        print(
            "\(all.count) bundles, \(total.mutants) mutants, \(total.same) prove the same, \(total.faults) something else"
        )
        guard total.faults == 0 else { throw ExitCode(1) }
        print("bundles: ok")
    }

    private func made() throws -> [Ledger] {
        try LedgerCrypto.Suite.allCases.flatMap { suite in
            try ["one", "two"].map { name in
                let ledger = SampleLedger(
                    suite, name: name, events: suite == .sm2SM3 ? eventsSM2 : events)
                let chain = ledger.chain
                let fromGenesis = Verifier(genesis: chain.genesis)
                let fromHeader = try Verifier(
                    genesis: chain.genesis,
                    trust: TrustedChain(
                        accepting: chain.newest.digest(suite), header: chain.newest,
                        validators: chain.validators))
                let truths = try ledger.bundles().map { item in
                    let reader = item.isDetached ? fromHeader : fromGenesis
                    return Truth(
                        name: "\(suite.name), ledger \(name), \(item.name)", verifier: reader,
                        mutants: try BundleMutants(item.bytes),
                        answer: try reader.verify(item.bytes))
                }
                return Ledger(truths)
            }
        }
    }

    private func read(folder: String) throws -> Ledger {
        let url = URL(fileURLWithPath: folder)
        let genesis = try Genesis.decode(
            try bytes(url.appendingPathComponent("genesis.cbor")), limits: LedgerLimits.genesis)
        let verifier = Verifier(genesis: genesis)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".bundle") }.sorted()
        let truths = try names.map { name in
            let bytes = try bytes(url.appendingPathComponent(name))
            return Truth(
                name: "\(folder)/\(name)", verifier: verifier, mutants: try BundleMutants(bytes),
                answer: try verifier.verify(bytes))
        }
        guard !truths.isEmpty else {
            throw ValidationError("no *.bundle in \(folder) / 文件夹中没有证据包")
        }
        return Ledger(truths)
    }

    private func bytes(_ url: URL) throws -> [UInt8] {
        let bytes = [UInt8](try Data(contentsOf: url))
        guard bytes.count <= Bundles.fileBytesMax else {
            throw ValidationError("\(url.path) is larger than 1 MiB / 文件过大")
        }
        return bytes
    }

    private func attack(
        _ truth: Truth, of ledger: Ledger, others: [BundleMutants]
    ) -> Tally {
        let lanes = max(1, ProcessInfo.processInfo.activeProcessorCount)
        let total = Mutex(Tally())
        DispatchQueue.concurrentPerform(iterations: lanes) { lane in
            var tally = Tally()
            var number = 0
            // Each lane makes all of them and judges its share: making one costs little beside judging it.
            func judge(_ mutant: () -> [UInt8]) {
                number += 1
                guard number % lanes == lane else { return }
                tally += self.verdict(mutant(), truth, ledger)
            }
            for bit in 0..<truth.mutants.bitCount {
                judge { truth.mutants.flipping(bit: bit) }
            }
            truth.mutants.forEachChange { bytes in judge { bytes } }
            for other in others where other.bytes != truth.mutants.bytes {
                truth.mutants.forEachSplice(with: other) { bytes in judge { bytes } }
            }
            total.withLock { $0 += tally }
        }
        return total.withLock { $0 }
    }

    private func verdict(_ mutant: [UInt8], _ truth: Truth, _ ledger: Ledger) -> Tally {
        guard mutant != truth.mutants.bytes else { return Tally() }
        var tally = Tally(mutants: 1)
        // No question is given, as by somebody who opens a file to see what it proves. Two bundles of one ledger may be spliced
        // into the other one whole, which is then what is proven.
        guard let answer = try? truth.verifier.verify(mutant) else { return tally }
        guard
            !ledger.truths.contains(where: {
                Facts.areSame(answer, $0.answer, headers: ledger.headers)
            })
        else {
            tally.same = 1
            return tally
        }
        tally.faults = 1
        print("\(truth.name) proves something else: \(Hex.encode(mutant))")
        return tally
    }
}

/// What answers have in common that prove the same. How many validators signed beyond a quorum does not matter, nor whose signatures
/// were checked again, nor which of the questions are answered and which envelopes are shown: a bundle from which one of those is taken away proves nothing else,
/// and its report says so.
enum Facts {
    /// All headers that the bundle proves to be on the ledger.
    static func headers(_ bundle: [UInt8], _ answer: ProvenAnswer) -> [Header] {
        let ancestors = (try? EvidenceBundle.decode(bundle))?.ancestors ?? []
        return [answer.checkpoint.header] + ancestors.map(\.header)
    }

    ///
    /// - Parameter headers: on the ledger, proven by the true bundles: a question may be changed into another one about one of them.
    static func areSame(
        _ left: ProvenAnswer, _ right: ProvenAnswer, headers: [Header]
    ) -> Bool {
        let (header, other) = (left.checkpoint.header, right.checkpoint.header)
        // What is read from the state alone is proven under every header of the ledger that has this state.
        let isSameState = header.stateRoot == other.stateRoot && headers.contains(header)
        return zip(left.questions, left.findings).allSatisfy { question, finding in
            if case .header(let proven) = finding {
                return header == other && headers.contains(proven.header)
            }
            // Where there is no asset, it does not matter which of its logs were asked for, or for its record.
            if let asset = absentAsset(question, finding) {
                return isSameState
                    && zip(right.questions, right.findings).contains {
                        absentAsset($0, $1) == asset
                    }
            }
            if case .record = finding { return isSameState && right[question] == finding }
            return header == other && right[question].map { areSame(finding, $0) } ?? false
        }
    }

    private static func absentAsset(
        _ question: EvidenceQuestion, _ finding: ProvenAnswer.Finding
    ) -> [UInt8]? {
        switch (question, finding) {
        case (_, .noSuchAsset(let asset)): asset.bytes
        case (.record(.asset, let id), .record(.nothing)):
            if case .bytes(let asset)? = id.first { asset } else { nil }
        default: nil
        }
    }

    private static func areSame(
        _ left: ProvenAnswer.Finding, _ right: ProvenAnswer.Finding
    ) -> Bool {
        switch (left, right) {
        case (.assetHistory(let one), .assetHistory(let other)):
            return one.asset == other.asset && one.logs.elementsEqual(other.logs, by: areSame)
                && one.parents.elementsEqual(other.parents) {
                    $0.asset == $1.asset && $0.pin == $1.pin && (!$0.isIncluded || $1.isIncluded)
                }
        case (.transaction(let one), .transaction(let other)): return areSame(one, other)
        case (.output(let one), .output(let other)):
            return one.record == other.record
                && one.steps.allSatisfy { step in other.steps.contains { areSame(step, $0) } }
        case (.licence(let one), .licence(let other)):
            return one.id == other.id && one.moment == other.moment && one.record == other.record
                && one.standing == other.standing && one.quota == other.quota
                && (one.closing.map { closing in
                    other.closing.map { areSame(closing, $0) } ?? false
                } ?? true)
        case (.noSuchAsset, _), (.record, _), (.header, _), (.assetHistory, _),
            (.transaction, _), (.licence, _), (.role, _), (.output, _):
            return left == right
        }
    }

    private static func areSame(_ left: ProvenLog, _ right: ProvenLog) -> Bool {
        left.log == right.log
            && left.events.elementsEqual(right.events) {
                $0.event == $1.event && areSame($0.entry, $1.entry)
            }
    }

    private static func areSame(_ left: ProvenEntry, _ right: ProvenEntry) -> Bool {
        guard left.height == right.height, left.position == right.position,
            left.timeMs == right.timeMs, left.digest == right.digest, left.code == right.code
        else { return false }
        // By its digest alone it is the same entry, of which less is shown.
        if case .withheld = left.content { return true }
        guard case .transaction(let id, let transaction, _) = left.content,
            case .transaction(let otherID, let other, _) = right.content
        else { return left.content == right.content }
        return id == otherID && transaction == other
    }
}
