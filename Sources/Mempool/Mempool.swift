import DequeModule
import Ledger
import LedgerCrypto

/// Bounds of a mempool.
public struct MempoolLimits: Sendable, Equatable {
    public var countMax: Int
    public var bytesMax: Int
    /// Of one member.
    public var memberCountMax: Int
    public var memberBytesMax: Int
    /// Envelope digests remembered as badly signed.
    public var badSignaturesMax: Int
    /// After being left out of this many blocks for a reason of its own, a transaction is dropped.
    public var attemptsMax: Int

    public init(
        countMax: Int = 65_536, bytesMax: Int = 134_217_728, memberCountMax: Int = 32_768,
        memberBytesMax: Int = 67_108_864, badSignaturesMax: Int = 16_384, attemptsMax: Int = 4
    ) {
        precondition(countMax > 0 && countMax <= Int(Int32.max), "slots are numbered in 32 bits")
        self.countMax = countMax
        self.bytesMax = bytesMax
        self.memberCountMax = memberCountMax
        self.memberBytesMax = memberBytesMax
        self.badSignaturesMax = badSignaturesMax
        self.attemptsMax = attemptsMax
    }
}

/// Transactions with valid signatures that wait to be ordered.
///
/// - One place for each transaction id, so that the same order under a second envelope is a duplicate.
/// - First in, first out for each member, and members in turn: none is kept waiting by another's crowd.
/// - Dropped when final, when the last valid height has passed, or after too many vain attempts.
/// - A transaction in a block that may become final is *reserved*: not offered again until it is released.
///
/// Every operation costs amortised constant time for each transaction concerned.
public struct Mempool: Sendable {
    public enum Refusal: Error, Equatable, Sendable {
        /// The id is here already, under this envelope or another one.
        case duplicate
        /// Signed wrongly before.
        case badSignature
        case expired
        /// This member's share is used up.
        case memberFull
        case full
    }

    private enum State: Sendable { case free, ready, reserved }

    private struct Slot: Sendable {
        var transaction: Verified<SignedTransaction>?
        var member: Int32 = 0
        var state = State.free
        var attempts: UInt8 = 0
        /// Grows when the slot is freed, so that what still names it is known to be stale.
        var stamp: UInt32 = 0
        /// Whether the member's queue names it.
        var isQueued = false
    }

    private struct Ticket: Sendable {
        let slot: Int32
        let stamp: UInt32
    }

    private struct Lane: Sendable {
        var queue = Deque<Ticket>()
        var count = 0
        var bytes = 0
    }

    public let limits: MempoolLimits
    public private(set) var count = 0
    public private(set) var bytes = 0
    /// How many have come in, ever.
    public private(set) var insertions: UInt64 = 0
    /// How many are not reserved.
    public private(set) var readyCount = 0
    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var slotByDigest: [Digest: Int32] = [:]
    private var slotByID: [Digest: Int32] = [:]
    private var laneByMember: [MemberID: Int32] = [:]
    private var lanes: [Lane] = []
    private var freeLanes: [Int32] = []
    private var nextLane = 0
    private var expiry: [UInt64: [Ticket]] = [:]
    private var expiredHeight: UInt64
    private var badSignatures: BoundedSet

    /// - Parameter height: the final height.
    public init(limits: MempoolLimits = MempoolLimits(), height: UInt64) {
        self.limits = limits
        expiredHeight = height
        badSignatures = BoundedSet(countMax: limits.badSignaturesMax)
    }

    // MARK: Coming in

    /// Whether an envelope is worth checking its signature; the same answer as `insert` would give.
    public func refusal(of envelope: Envelope) -> Refusal? {
        refusal(of: envelope, lane: laneByMember[envelope.member])
    }

    /// - Parameter lane: of the envelope's member, if it has one.
    private func refusal(of envelope: Envelope, lane: Int32?) -> Refusal? {
        if slotByID[envelope.id] != nil { return .duplicate }
        if badSignatures.contains(envelope.digest) { return .badSignature }
        if envelope.lastValidHeight <= expiredHeight { return .expired }
        let size = envelope.byteCount
        if count >= limits.countMax || bytes + size > limits.bytesMax { return .full }
        if let lane, isFull(lanes[Int(lane)], with: size) { return .memberFull }
        return nil
    }

    private func isFull(_ lane: Lane, with size: Int) -> Bool {
        lane.count >= limits.memberCountMax || lane.bytes + size > limits.memberBytesMax
    }

    public mutating func insert(_ verified: Verified<SignedTransaction>) throws(Refusal) {
        let envelope = verified.value.envelope
        let known = laneByMember[envelope.member]
        if let refusal = refusal(of: envelope, lane: known) { throw refusal }
        let lane = known.map { Int($0) } ?? addLane(of: envelope.member)
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = Int32(slots.count)
            slots.append(Slot())
        }
        let index = Int(slot)
        slots[index].transaction = verified
        slots[index].member = Int32(lane)
        slots[index].state = .ready
        slots[index].attempts = 0
        slots[index].isQueued = true
        let ticket = Ticket(slot: slot, stamp: slots[index].stamp)
        slotByDigest[envelope.digest] = slot
        slotByID[envelope.id] = slot
        expiry[envelope.lastValidHeight, default: []].append(ticket)
        if lanes[lane].queue.count > 2 * lanes[lane].count + 64 {
            // Blocks of other leaders took most of them out of the middle.
            let slots = slots
            lanes[lane].queue.removeAll { slots[Int($0.slot)].stamp != $0.stamp }
        }
        lanes[lane].queue.append(ticket)
        lanes[lane].count += 1
        lanes[lane].bytes += envelope.byteCount
        count += 1
        insertions += 1
        readyCount += 1
        bytes += envelope.byteCount
    }

    /// Whether an envelope with this digest was found badly signed lately.
    public func isBadlySigned(_ digest: Digest) -> Bool { badSignatures.contains(digest) }

    public mutating func noteBadSignature(_ digest: Digest) {
        badSignatures.insert(digest)
    }

    private mutating func addLane(of member: MemberID) -> Int {
        let lane: Int
        if let free = freeLanes.popLast() {
            lane = Int(free)
            lanes[lane] = Lane()
        } else {
            lane = lanes.count
            lanes.append(Lane())
        }
        laneByMember[member] = Int32(lane)
        return lane
    }

    // MARK: Reading

    /// The transaction of an envelope with this digest, reserved or not.
    public func transaction(digest: Digest) -> Verified<SignedTransaction>? {
        slotByDigest[digest].flatMap { slots[Int($0)].transaction }
    }

    public func contains(id: Digest) -> Bool { slotByID[id] != nil }

    // MARK: Going out

    /// Takes candidates for a block, members in turn, oldest first for each. They are no longer offered until
    /// `giveBack`; the caller reserves those that are in the block and gives back the rest.
    public mutating func takeCandidates(
        countMax: Int, bytesMax: Int, memberCountMax: Int
    ) -> [Verified<SignedTransaction>] {
        var taken: [Verified<SignedTransaction>] = []
        taken.reserveCapacity(min(countMax, readyCount))
        var takenBytes = 0
        var active = lanes.indices.filter { lanes[$0].count > 0 }
        guard !active.isEmpty else { return [] }
        let start = active.firstIndex { $0 >= nextLane } ?? 0
        active = Array(active[start...] + active[..<start])
        var round = 0
        while !active.isEmpty, round < memberCountMax {
            var remaining: [Int] = []
            for lane in active {
                guard taken.count < countMax else { return taken }
                guard let index = popReady(lane: lane) else { continue }
                guard let transaction = slots[index].transaction else { continue }
                let size = transaction.value.envelope.byteCount
                guard takenBytes + size <= bytesMax else {
                    // It stays first of its lane; the block is as good as full.
                    pushFront(index)
                    return taken
                }
                takenBytes += size
                taken.append(transaction)
                nextLane = lane + 1
                remaining.append(lane)
            }
            active = remaining
            round += 1
        }
        return taken
    }

    /// The lane's first ready slot, with the stale tickets before it dropped.
    private mutating func popReady(lane: Int) -> Int? {
        while let ticket = lanes[lane].queue.popFirst() {
            let index = Int(ticket.slot)
            guard slots[index].stamp == ticket.stamp else { continue }
            slots[index].isQueued = false
            if slots[index].state == .ready { return index }
        }
        return nil
    }

    private mutating func pushFront(_ index: Int) {
        guard !slots[index].isQueued else { return }
        slots[index].isQueued = true
        lanes[Int(slots[index].member)].queue.prepend(
            Ticket(slot: Int32(index), stamp: slots[index].stamp))
    }

    /// Takes back candidates that were left out of a block for lack of room or quota. One that was left out too
    /// often is dropped.
    public mutating func giveBack(_ digests: [Digest]) {
        // The last one first, so that they stand in their old order at the front.
        for digest in digests.reversed() {
            guard let slot = slotByDigest[digest] else { continue }
            let index = Int(slot)
            slots[index].attempts += 1
            if Int(slots[index].attempts) >= limits.attemptsMax {
                free(index)
            } else if slots[index].state == .ready {
                pushFront(index)
            }
        }
    }

    /// Drops what may never be in a block, by envelope digest.
    public mutating func drop(_ digests: [Digest]) {
        for digest in digests {
            if let slot = slotByDigest[digest] { free(Int(slot)) }
        }
    }

    /// The transactions with these ids are in a block that may become final.
    public mutating func reserve(ids: some Sequence<Digest>) {
        for id in ids {
            guard let slot = slotByID[id], slots[Int(slot)].state == .ready else { continue }
            slots[Int(slot)].state = .reserved
            readyCount -= 1
        }
    }

    /// Their block will not become final, or not soon: they are offered again, before others.
    public mutating func release(ids: some Collection<Digest>) {
        for id in ids.reversed() {
            guard let slot = slotByID[id], slots[Int(slot)].state == .reserved else { continue }
            slots[Int(slot)].state = .ready
            readyCount += 1
            pushFront(Int(slot))
        }
    }

    /// They are final.
    public mutating func remove(ids: some Sequence<Digest>) {
        for id in ids {
            if let slot = slotByID[id] { free(Int(slot)) }
        }
    }

    /// Drops what may no longer be in a block above the final `height`.
    public mutating func expire(height: UInt64) {
        while expiredHeight < height {
            if expiry.isEmpty {
                expiredHeight = height
                return
            }
            expiredHeight += 1
            guard let tickets = expiry.removeValue(forKey: expiredHeight) else { continue }
            for ticket in tickets where slots[Int(ticket.slot)].stamp == ticket.stamp {
                free(Int(ticket.slot))
            }
        }
    }

    private mutating func free(_ index: Int) {
        guard let transaction = slots[index].transaction else { return }
        let envelope = transaction.value.envelope
        slotByDigest[envelope.digest] = nil
        slotByID[envelope.id] = nil
        if slots[index].state == .ready { readyCount -= 1 }
        slots[index].transaction = nil
        slots[index].state = .free
        slots[index].isQueued = false
        slots[index].stamp &+= 1
        freeSlots.append(Int32(index))
        count -= 1
        bytes -= envelope.byteCount
        let lane = Int(slots[index].member)
        lanes[lane].count -= 1
        lanes[lane].bytes -= envelope.byteCount
        if lanes[lane].count == 0 {
            laneByMember[envelope.member] = nil
            lanes[lane] = Lane()
            freeLanes.append(Int32(lane))
        }
    }
}

extension Mempool {
    /// The digest of the envelope that holds this id's place.
    func digest(id: Digest) -> Digest? {
        slotByID[id].flatMap { slots[Int($0)].transaction?.value.digest }
    }
}
