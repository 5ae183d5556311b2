import Consensus
import Dispatch
import Encoding
import Ledger
import LedgerCrypto
import Records
import Replica
import Synchronization
import TestWaiting
import Testing

@testable import Node

@Suite struct DeadlineTests {
    @Test func theLongestOverdueComesFirstAndOnce() {
        var deadlines = Deadlines()
        #expect(deadlines.nextMs == nil)
        deadlines.set(.view, atMs: 30)
        deadlines.set(.retry, atMs: 10)
        deadlines.set(.fetch, atMs: 50)
        #expect(deadlines.nextMs == 10)
        #expect(deadlines.takeDue(nowMs: 9) == nil)
        #expect(deadlines.takeDue(nowMs: 40) == .retry)
        deadlines.set(.view, atMs: 45)
        #expect(deadlines.takeDue(nowMs: 40) == nil)
        deadlines.cancel(.fetch)
        #expect(deadlines.takeDue(nowMs: 100) == .view)
        #expect(deadlines.takeDue(nowMs: 100) == nil)
        #expect(deadlines.nextMs == nil)
    }
}

@Suite(.timeLimit(.minutes(1))) struct MailboxTests {
    @Test func everyItemIsTakenOnceInOrder() async throws {
        let mailbox = Mailbox<(Int, Int)>()
        let putters = 4
        let count = 5_000
        let taken = Watched<[(Int, Int)]>([])
        DedicatedThread.start("taker") {
            var all: [(Int, Int)] = []
            while all.count < putters * count {
                all += mailbox.take(until: .now() + .milliseconds(1))
            }
            taken.withLock { [all] in $0 = all }
        }
        for putter in 0..<putters {
            DedicatedThread.start("putter") {
                for number in 0..<count { mailbox.put((putter, number)) }
            }
        }
        let all = try await taken.wait { !$0.isEmpty }
        for putter in 0..<putters {
            #expect(all.filter { $0.0 == putter }.map(\.1) == Array(0..<count))
        }
    }

    @Test func closingWakesTheTakerAndKeepsNothing() {
        let mailbox = Mailbox<Int>()
        mailbox.put(1)
        #expect(mailbox.close() == [1])
        #expect(!mailbox.put(2))
        #expect(mailbox.take(until: .distantFuture).isEmpty)
    }
}

@Suite struct SubmissionDeskTests {
    private let network = Result { try TestNetwork(1) }

    private final class Answers: Sendable {
        let all = Mutex<[[SubmissionResult]]>([])
        var last: [SubmissionResult]? { all.withLock { $0.last } }
        var count: Int { all.withLock { $0.count } }
    }

    private func submission(
        _ count: Int, _ wait: SubmissionWait, _ answers: Answers, deadlineMs: UInt64 = 100
    ) throws -> Submission {
        let network = try network.get()
        let envelopes = try (0..<count).map {
            try Envelope(
                bytes: network.evidence($0), chain: network.genesis.chain, suite: .ed25519SHA256)
        }
        return Submission(envelopes: envelopes, wait: wait, deadlineMs: deadlineMs) { results in
            answers.all.withLock { $0.append(results) }
        }
    }

    @Test func eachSubmissionIsFinishedOnceWhenAllIsKnown() throws {
        var desk = SubmissionDesk(waitingMax: 4)
        let answers = Answers()
        let submission = try submission(3, .final, answers)
        let admitted = desk.admit(submission)
        let request = try #require(admitted)
        desk.answer(request, [.accepted, .duplicate, .accepted])
        desk.settle(submission.envelopes[0].id, code: .accepted, height: 5, index: 1)
        #expect(answers.count == 0)
        desk.settle(submission.envelopes[2].id, code: .wrongState, height: 6, index: 2)
        desk.settle(submission.envelopes[2].id, code: .accepted, height: 7, index: 2)
        desk.expire(nowMs: 1_000)
        desk.finishAll()
        #expect(answers.count == 1)
        #expect(answers.last?.map(\.status) == [.final, .refused, .final])
        #expect(answers.last?.map(\.code) == [.accepted, .duplicate, .wrongState])
        #expect(answers.last?.map(\.height) == [5, nil, 6])
    }

    /// Nobody waits for what cannot become final any more, and what may is waited for.
    @Test func whatHasRunOutIsRefused() throws {
        let network = try network.get()
        var desk = SubmissionDesk(waitingMax: 2)
        let answers = Answers()
        let envelopes = try [7, 9, 9].enumerated().map { number, height in
            try Envelope(
                bytes: network.evidence(number, lastValidHeight: height),
                chain: network.genesis.chain, suite: .ed25519SHA256)
        }
        let submission = Submission(envelopes: envelopes, wait: .final, deadlineMs: 100) { result in
            answers.all.withLock { $0.append(result) }
        }
        let admitted = desk.admit(submission)
        let request = try #require(admitted)
        // The replica has not said yet whether it has them.
        desk.pass(height: 20)
        #expect(answers.count == 0)
        desk.answer(request, [.accepted, .accepted, .accepted])
        desk.pass(height: 6)
        desk.settle(envelopes[1].id, code: .wrongState, height: 7, index: 0)
        desk.pass(height: 7)
        desk.pass(height: 8)
        desk.settle(envelopes[0].id, code: .accepted, height: 8, index: 0)
        #expect(answers.count == 0 && desk.count == 1)
        desk.pass(height: 9)
        desk.pass(height: 10)
        desk.finishAll()
        #expect(answers.count == 1 && desk.isEmpty)
        #expect(answers.last?.map(\.status) == [.refused, .final, .refused])
        #expect(answers.last?.map(\.code) == [.expired, .wrongState, .expired])
    }

    @Test func overdueAndUnfinishedAreToldWhatIsKnown() throws {
        var desk = SubmissionDesk(waitingMax: 2)
        let answers = Answers()
        let first = try submission(1, .final, answers)
        let admitted = desk.admit(first)
        let request = try #require(admitted)
        _ = desk.admit(try submission(1, .received, answers, deadlineMs: 900))
        #expect(desk.admit(try submission(1, .received, answers)) == nil)
        #expect(answers.last?[0].code == .busy)
        desk.answer(request, [.accepted])
        desk.expire(nowMs: 99)
        #expect(answers.count == 1)
        desk.expire(nowMs: 100)
        #expect(answers.last?[0].status == .received)
        desk.settle(first.envelopes[0].id, code: .accepted, height: 1, index: 0)
        desk.finishAll()
        #expect(answers.count == 3)
        // Not refused: the replica has it and may still order it.
        #expect(answers.last?[0].status == .received && desk.isEmpty)
    }
}

@Suite struct FrameIntakeTests {
    /// Whoever is paused is let go on once half of it is handled, whichever thread sees that first.
    @Test func peersArePausedAndLetGoOn() throws {
        let network = try TestNetwork(1)
        let mailbox = Mailbox<Mail>()
        var limits = NodeLimits()
        limits.inboundBytesPerPeerMax = 1_000
        limits.inboundBytesMax = 1_600
        let intake = FrameIntake(mailbox, genesis: network.genesis, limits: limits)
        let frame = PeerMessage.transactions([network.evidence(1), network.evidence(2)]).encoded
        #expect(intake.receive(from: 0, [0xff]) == .cutOff(.undecodable))
        // Whoever passes envelopes on has decoded them.
        let unread = PeerMessage.transactions([network.evidence(1), [1, 2]]).encoded
        #expect(intake.receive(from: 0, unread) == .cutOff(.undecodable))
        #expect(intake.undecodableCount == 2)
        let cost = frame.count + FrameIntake.overheadBytes
        // Each peer has a share of its own, and all of them together have a limit.
        func fill(_ peer: Int) -> Int {
            var received = 1
            while intake.receive(from: peer, frame) == .continue { received += 1 }
            return received
        }
        let first = fill(0)
        #expect(first == 1_000 / cost + 1)
        let second = fill(1)
        #expect(second > 0 && (first + second - 1) * cost <= 1_600)
        #expect((first + second) * cost > 1_600)
        let mails = mailbox.take(until: .now())
        #expect(mails.count == first + second)
        var resumed: [Bool] = []
        for case .input(.gossiped(let peer, let envelopes), let bytes) in mails {
            #expect(envelopes.count == 2)
            resumed.append(intake.handled(from: peer.seat, bytes: bytes))
        }
        #expect(resumed.count { $0 } == 1)
        // One frame longer than all that may wait.
        limits.inboundBytesPerPeerMax = 10
        let narrow = FrameIntake(mailbox, genesis: network.genesis, limits: limits)
        #expect(narrow.receive(from: 0, frame) == .pause)
        #expect(narrow.handled(from: 0, bytes: cost))
        // What is hardly longer than nothing waits in a bounded number too.
        limits.inboundBytesPerPeerMax = 10_000
        let wide = FrameIntake(mailbox, genesis: network.genesis, limits: limits)
        let request = PeerMessage.finalBlocksRequest(from: 1).encoded
        let count = (0..<10_000).prefix { _ in
            wide.receive(from: 0, request) == .continue
        }.count
        #expect(count < 10_000 / FrameIntake.overheadBytes)
    }
}

@Suite struct FairQueueTests {
    private func mail(_ peer: Int, _ bytes: Int = 10) -> Mail {
        .input(.connected(PeerID(peer)), bytes: bytes)
    }

    private func peers(_ round: [Mail]) -> [Int] {
        round.map { mail in
            if case .input(let input, _) = mail { input.sender?.seat ?? -1 } else { -1 }
        }
    }

    /// However much one peer has sent, the next round holds what another sent after it.
    @Test func aFloodDelaysNobodyElse() {
        var queue = FairQueue()
        queue.add((0..<10_000).map { _ in mail(2) })
        queue.add([mail(7), mail(1), .stop(.requested)])
        #expect(peers(queue.takeRound(nowNs: 0)) == [-1, 1, 2, 2, 2, 2, 7])
        queue.add([mail(7), mail(7)])
        #expect(peers(queue.takeRound(nowNs: 0)) == [2, 2, 2, 2, 7, 7])
        // Long frames count for more.
        queue.add([mail(8, 1_000_000), mail(8)])
        #expect(peers(queue.takeRound(nowNs: 0)) == [2, 2, 2, 2, 8])
        var left = 0
        while !queue.isEmpty { left += queue.takeRound(nowNs: 0).count }
        #expect(left == 10_000 - 12 + 1)
    }

    /// Whoever asks for much stands back for those who do not, for twice as long as the answers took, and for nobody else.
    @Test func answersAreAtTheExpenseOfWhoAsked() {
        var queue = FairQueue()
        queue.add((0..<300).map { _ in mail(2) } + (0..<300).map { _ in mail(7) })
        func lanes(atMs ms: UInt64) -> Set<Int> {
            Set(peers(queue.takeRound(nowNs: ms * 1_000_000)))
        }
        queue.charge(lane: 2, nanoseconds: 2_500_000, nowNs: 10_000_000)
        // Two answers in one round count both.
        queue.charge(lane: 2, nanoseconds: 2_500_000, nowNs: 12_500_000)
        #expect([13, 15, 19].allSatisfy { lanes(atMs: $0) == [7] })
        #expect([20, 21].allSatisfy { lanes(atMs: $0) == [2, 7] })
        // However long it took, not for long: a peer also has votes.
        queue.charge(lane: 2, nanoseconds: .max, nowNs: 30_000_000)
        queue.charge(lane: 2, nanoseconds: .max, nowNs: 30_000_000)
        #expect([30, 129].allSatisfy { lanes(atMs: $0) == [7] })
        #expect(lanes(atMs: 130) == [2, 7])
        while lanes(atMs: 200).contains(7) {}
        #expect(!queue.isEmpty)
        // The others are done.
        queue.charge(lane: 2, nanoseconds: 10_000_000, nowNs: 200_000_000)
        #expect(lanes(atMs: 200) == [2])
    }

    /// A lane that is never empty does not hold what was taken.
    @Test func whatWasTakenIsLetGo() {
        final class Load: Sendable {}
        var queue = FairQueue()
        weak var held: Load?
        do {
            let load = Load()
            held = load
            queue.add([.read { _ in withExtendedLifetime(load) {} }])
            queue.add((0..<1_000).map { _ in .read { _ in } })
        }
        #expect(held != nil)
        _ = queue.takeRound(nowNs: 0)
        #expect(held == nil && !queue.isEmpty)
    }

    @Test func orderWithinALaneIsKept() {
        var queue = FairQueue()
        let mails = (1...200).map { mail(3, $0) }
        queue.add(Array(mails[..<100]))
        var taken = queue.takeRound(nowNs: 0)
        queue.add(Array(mails[100...]))
        while !queue.isEmpty { taken += queue.takeRound(nowNs: 0) }
        let bytes = taken.map { mail in if case .input(_, let bytes) = mail { bytes } else { 0 } }
        #expect(bytes == Array(1...200))
    }
}

@Suite struct VerifiedCacheTests {
    /// Only the very bytes under the very key, and not for ever.
    @Test func nothingIsBelievedThatWasNotChecked() throws {
        let network = try TestNetwork(1)
        let key = network.memberKey.publicKey
        let envelopes = try (0..<3).map {
            try Envelope(
                bytes: network.evidence($0), chain: network.genesis.chain, suite: .ed25519SHA256)
        }
        var cache = VerifiedCache()
        let verified = try #require(envelopes[0].verified(by: key))
        cache.insert(verified)
        let other = SigningKey.generate(.ed25519SHA256).publicKey
        #expect(
            cache.transaction(for: SignatureCheck(envelope: envelopes[0], key: key)) == verified)
        #expect(
            cache.transaction(for: SignatureCheck(envelope: envelopes[0], key: other)) == nil)
        #expect(cache.transaction(for: SignatureCheck(envelope: envelopes[1], key: key)) == nil)
    }
}

@Suite struct CheckDeskTests {
    private let network: TestNetwork
    private let key: PublicKey
    private let batch: [[UInt8]]

    init() throws {
        network = try TestNetwork(1)
        key = network.memberKey.publicKey
        batch = network.batch(40)
    }

    private func checks(_ list: [[UInt8]]) throws -> [SignatureCheck] {
        try list.map {
            SignatureCheck(
                envelope: try Envelope(
                    bytes: $0, chain: network.genesis.chain, suite: .ed25519SHA256), key: key)
        }
    }

    /// The same bytes with the last one, which is of the signature, changed.
    private func forged(_ bytes: [UInt8]) -> [UInt8] {
        Array(bytes.dropLast()) + [bytes[bytes.count - 1] ^ 1]
    }

    @Test(arguments: [1, 4])
    func aRootIsCheckedOnce(threads: Int) throws {
        var desk = CheckDesk(threads: threads)
        let checks = try checks(batch)
        let first = desk.verify(Array(checks[..<30]))
        #expect(first.map { $0?.value.digest } == checks[..<30].map(\.envelope.digest))
        #expect(desk.signaturesChecked == 1)
        #expect(desk.verify(checks).allSatisfy { $0 != nil })
        #expect(desk.signaturesChecked == 1)
        let others = try self.checks(network.batch(3))
        let single = try self.checks([network.evidence(1), network.evidence(2)])
        #expect(desk.verify(checks + others + single).allSatisfy { $0 != nil })
        #expect(desk.signaturesChecked == 4)
    }

    @Test(arguments: [1, 4])
    func aFloodUnderOneBadRootCostsOneCheck(threads: Int) throws {
        var desk = CheckDesk(threads: threads)
        let bad = try checks(batch.map(forged))
        for _ in 0..<3 {
            #expect(desk.verify(bad).allSatisfy { $0 == nil })
            #expect(desk.signaturesChecked == 1)
        }
        #expect(desk.verify(try checks(batch)).allSatisfy { $0 != nil })
        #expect(desk.signaturesChecked == 2)
    }

    /// Whoever is first under a signature and leads to another root holds the others up for one check, no more.
    @Test func aForgedPathSpoilsNobodyElses() throws {
        var desk = CheckDesk(threads: 4)
        let good = try checks(batch)
        // Of the size that is signed and with the signature of the batch, but of another payload.
        var stranger = batch[7]
        let payload = good[7].envelope.transaction.encoded
        let place = try #require(
            stranger.indices.first { Array(stranger[$0...].prefix(payload.count)) == payload })
        let nonce = try #require(
            payload.indices.first {
                Array(payload[$0...].prefix(16)) == good[7].envelope.transaction.nonce
            })
        stranger[place + nonce] ^= 1
        let forged = try checks([stranger])
        let results = desk.verify(forged + good)
        #expect(results[0] == nil)
        #expect(results.dropFirst().allSatisfy { $0 != nil })
        #expect(desk.signaturesChecked == 2)
        #expect(desk.verify(forged + good).first == .some(nil))
        #expect(desk.signaturesChecked == 2)
    }

    @Test func generationsForgetTheOldest() {
        var memory = Generations<Int, Int>(max: 4)
        for number in 0..<4 { memory.insert(number, for: number, weight: 2) }
        #expect((0..<4).map { memory[$0] } == [0, 1, 2, 3])
        #expect(memory.update(0) { $0 += 10 } != nil)
        memory.insert(4, for: 4, weight: 2)
        #expect(memory[0] == 10)
        #expect(memory[1] == nil && memory[4] == 4)
        #expect(memory.update(1) { $0 += 1 } == nil)
    }
}
