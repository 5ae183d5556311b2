import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import TestLedgers
import Testing

@Suite struct TamperTests {
    /// One log, one validator: small, and yet with every kind of part, a signed entry and an automatic one.
    static func small(_ suite: LedgerCrypto.Suite) throws -> (Fixture, [UInt8]) {
        let fixture = Fixture(suite, validators: 1)
        return (fixture, try fixture.history([.trades]).encoded)
    }

    @Test(arguments: Suite.allCases) func noFlippedByteGivesAnotherAnswer(
        suite: LedgerCrypto.Suite
    ) throws {
        let (fixture, bytes) = try Self.small(suite)
        let verifier = fixture.verifier
        let truth = try verifier.verify(bytes)
        // SM2 costs ten times as much; what differs between the suites is not in the framing.
        let step = suite == .ed25519SHA256 ? 1 : 7
        for offset in stride(from: 0, to: bytes.count, by: step) {
            var flipped = bytes
            flipped[offset] ^= 1 << UInt8(offset % 8)
            guard let answer = try? verifier.verify(flipped) else { continue }
            #expect(answer == truth, "byte \(offset) flipped proves something else")
        }
    }

    @Test func everyPrefixIsRefused() throws {
        let (fixture, bytes) = try Self.small(.ed25519SHA256)
        for count in 0..<bytes.count {
            #expect(throws: EvidenceProblem.self) {
                try fixture.verifier.verify(Array(bytes.prefix(count)))
            }
        }
        let trailing = EvidenceFault.undecodable(.trailingBytes(offset: bytes.count, count: 1))
        #expect(throws: EvidenceProblem(.bundle, trailing)) {
            try fixture.verifier.verify(bytes + [0])
        }
    }

    @Test(arguments: 0..<4) func aDroppedEventIsNamed(dropped: Int) throws {
        let fixture = Fixture(.ed25519SHA256)
        var bundle = try fixture.history()
        var events = bundle.histories[0][0].events
        events.remove(at: dropped)
        bundle.histories[0][0] = LogEvidence(log: 0, events: events)
        let found = try #require(problem(bundle, fixture.verifier))
        #expect(
            found
                == EvidenceProblem(
                    .log(0, of: fixture.asset),
                    .eventsMissing(found: 3, certified: 4, first: UInt64(dropped))))
        #expect(found.standing == .provenFalse)
        #expect(found.english.contains("event \(dropped) is missing"))
        #expect(found.chinese.contains("缺第 \(dropped) 号事件"))
    }

    @Test func aRepeatedEventIsNamed() throws {
        let fixture = Fixture(.ed25519SHA256)
        var bundle = try fixture.history()
        let events = bundle.histories[0][0].events
        bundle.histories[0][0] = LogEvidence(log: 0, events: events + [events[3]])
        #expect(
            problem(bundle, fixture.verifier)
                == EvidenceProblem(.log(0, of: fixture.asset), .eventsAdded(found: 5, certified: 4))
        )
        // Nothing of what is too much is read.
        bundle.histories[0][0] = LogEvidence(
            log: 0, events: events + [EventEvidence(leaf: [0xFF], entry: 0)])
        #expect(
            problem(bundle, fixture.verifier)
                == EvidenceProblem(.log(0, of: fixture.asset), .eventsAdded(found: 5, certified: 4))
        )
        // In the place of another one, so that the count is right.
        bundle.histories[0][0] = LogEvidence(
            log: 0, events: [events[0], events[0], events[2], events[3]])
        #expect(
            problem(bundle, fixture.verifier)
                == EvidenceProblem(
                    .event(index: 1, log: 0, of: fixture.asset),
                    .eventField(.index, found: "0", expected: "1")))
    }

    @Test func reorderedEventsAreNamed() throws {
        let fixture = Fixture(.ed25519SHA256)
        var bundle = try fixture.history()
        var events = bundle.histories[0][0].events
        events.swapAt(1, 2)
        bundle.histories[0][0] = LogEvidence(log: 0, events: events)
        #expect(
            problem(bundle, fixture.verifier)
                == EvidenceProblem(
                    .event(index: 1, log: 0, of: fixture.asset),
                    .eventField(.index, found: "2", expected: "1")))
    }

    @Test func aWholeLogIsNotExchanged() throws {
        let fixture = Fixture(.ed25519SHA256)
        let good = try fixture.history()
        var missing = good
        missing.histories[0].removeLast()
        #expect(
            problem(missing, fixture.verifier)
                == EvidenceProblem(.log(2, of: fixture.asset), .logNotIncluded))
        var unasked = try fixture.history([.rights])
        unasked.histories = good.histories
        #expect(
            problem(unasked, fixture.verifier)
                == EvidenceProblem(.log(1, of: fixture.asset), .logNotAsked))
        var swapped = good
        swapped.histories[0].swapAt(0, 1)
        #expect(problem(swapped, fixture.verifier)?.fault == .outOfOrder)
        var relabelled = good
        relabelled.histories[0][2] = LogEvidence(log: 2, events: [good.histories[0][1].events[0]])
        #expect(
            problem(relabelled, fixture.verifier)
                == EvidenceProblem(
                    .event(index: 0, log: 2, of: fixture.asset),
                    .eventField(.log, found: "trades", expected: "refusals")))
    }

    /// What an event says of itself, replaced field by field; its evidence or the certified root contradicts it.
    @Test func substitutedEventsAreNamed() throws {
        let fixture = Fixture(.ed25519SHA256)
        let good = try fixture.history([.rights])
        let event = try AssetEvent.decode(
            good.histories[0][0].events[3].leaf, limits: AssetEvent.limits)
        func copy(
            kind: EventKind? = nil, id: Digest? = nil, digest: Digest? = nil, height: UInt64? = nil,
            timeMs: UInt64? = nil, actor: EventActor? = nil, code: OutcomeCode? = nil,
            detail: CBORValue? = nil
        ) -> AssetEvent {
            AssetEvent(
                log: .rights, index: event.index, kind: kind ?? event.kind,
                transactionID: id ?? event.transactionID, entryDigest: digest ?? event.entryDigest,
                height: height ?? event.height, timeMs: timeMs ?? event.timeMs,
                actor: actor ?? event.actor, code: code ?? event.code,
                detail: detail ?? event.detail)
        }
        let cases: [(AssetEvent, EvidenceFault.EventField?)] = [
            (copy(kind: .transaction(.assetApprove)), .kind), (copy(id: .zero), .transaction),
            (copy(digest: .zero), .entryDigest), (copy(height: 4), .height),
            (copy(timeMs: event.timeMs + 1), .timeMs),
            (copy(actor: .member(fixture.buyer.id)), .actor), (copy(actor: .ledger), .actor),
            (copy(code: .notPermitted), .code),
            (copy(actor: .pseudonym([UInt8](repeating: 1, count: 16))), nil),
            (copy(detail: .detail([("price", .unsigned(1))])), nil),
        ]
        for (forged, field) in cases {
            var bundle = good
            var events = good.histories[0][0].events
            events[3] = EventEvidence(leaf: forged.encoded, entry: events[3].entry)
            bundle.histories[0][0] = LogEvidence(log: 0, events: events)
            let found = try #require(problem(bundle, fixture.verifier))
            #expect(found.standing == .provenFalse)
            if let field {
                guard case .eventField(field, _, _) = found.fault else {
                    Issue.record("\(found) should be about \(field)")
                    continue
                }
                #expect(found.place == .event(index: 3, log: 0, of: fixture.asset))
            } else {
                // No evidence repeats these fields, but the root covers them. Four events have one peak.
                #expect(
                    found
                        == EvidenceProblem(
                            .log(0, of: fixture.asset), .otherLogRoot(first: 0, last: 3)))
            }
        }
    }

    @Test func aWrongRootIsNarrowedDownToAPeak() throws {
        var fixture = Fixture(.ed25519SHA256)
        fixture.alter { chain, before in
            chain.append([
                chain.step(
                    .offerPublish, by: before.provider,
                    touching: [(before.asset, .rights, .member(before.provider.id))])
            ])
        }
        let good = try fixture.history([.rights])
        for index in 0..<5 {
            var events = good.histories[0][0].events
            let event = try AssetEvent.decode(events[index].leaf, limits: AssetEvent.limits)
            let forged = AssetEvent(
                log: event.log, index: event.index, kind: event.kind,
                transactionID: event.transactionID, entryDigest: event.entryDigest,
                height: event.height, timeMs: event.timeMs, actor: event.actor, code: event.code,
                detail: .detail([("forged", .bool(true))]))
            events[index] = EventEvidence(leaf: forged.encoded, entry: events[index].entry)
            var bundle = good
            bundle.histories[0][0] = LogEvidence(log: 0, events: events)
            let range: EvidenceFault =
                index < 4 ? .otherLogRoot(first: 0, last: 3) : .otherLogRoot(first: 4, last: 4)
            #expect(
                problem(bundle, fixture.verifier)
                    == EvidenceProblem(.log(0, of: fixture.asset), range))
        }
    }

    @Test func entriesAndHeadersAreHeldToTheCertifiedLog() throws {
        let fixture = Fixture(.ed25519SHA256)
        let verifier = fixture.verifier
        let good = try fixture.history()
        for index in good.entries.indices {
            let entry = good.entries[index]
            func expect(_ fault: EvidenceFault, _ altered: EntryEvidence) {
                var bundle = good
                bundle.entries[index] = altered
                #expect(problem(bundle, verifier)?.fault == fault)
            }
            expect(
                .outcomeNotInResults(code: entry.code + 1), entry.with(code: entry.code + 1))
            expect(
                .entryNotInLog, entry.with(content: .withheld(fixture.suite.digest([1, 2]))))
            expect(
                .positionOutside(
                    entries: UInt64(fixture.chain.blocks[Int(entry.height)].entries.count)),
                entry.with(position: 7))
            if index == 0 { expect(.headerNotIncluded, entry.with(height: 2)) }
        }
        for index in good.ancestors.indices {
            var bundle = good
            let height = good.ancestors[index].header.height
            bundle.ancestors.remove(at: index)
            #expect(problem(bundle, verifier)?.fault == .headerNotIncluded)
            bundle = good
            let header = try #require(fixture.chain.block(height: height)?.header)
            bundle.ancestors[index] = HeaderEvidence(
                header: header.with(timeMs: header.timeMs + 1), path: good.ancestors[index].path)
            #expect(
                problem(bundle, verifier)
                    == EvidenceProblem(.ancestor(height: height), .headerNotInLog))
        }
        var disordered = good
        disordered.entries.swapAt(0, 1)
        #expect(problem(disordered, verifier)?.fault == .outOfOrder)
        disordered = good
        disordered.ancestors.swapAt(0, 1)
        #expect(problem(disordered, verifier)?.fault == .outOfOrder)
        disordered = good
        disordered.ancestors.append(HeaderEvidence(header: good.header, path: []))
        #expect(problem(disordered, verifier)?.fault == .headerNotBelow(certified: 5))
    }

    @Test func theStateIsHeldToTheCertifiedRoot() throws {
        let fixture = Fixture(.ed25519SHA256)
        let good = try fixture.history()
        for index in good.records.indices {
            var bundle = good
            let record = good.records[index]
            guard case .value(let value) = record.content else {
                Issue.record("the asset and the keys are there")
                continue
            }
            bundle.records[index] = StateEvidence(
                key: record.key, value: value + [0], proof: record.proof)
            #expect(
                problem(bundle, fixture.verifier)
                    == EvidenceProblem(.record(index: index, key: record.key), .wrongStateProof))
        }
        var disordered = good
        disordered.records.swapAt(0, 1)
        #expect(problem(disordered, fixture.verifier)?.fault == .outOfOrder)
        var missing = good
        let key = StateKey.digest(.asset, fixture.asset, suite: fixture.suite)
        missing.records.removeAll { $0.key == key }
        #expect(
            problem(missing, fixture.verifier) == EvidenceProblem(.question(0), .recordNotIncluded))
    }
}

extension EntryEvidence {
    func with(
        height: UInt64? = nil, position: UInt64? = nil, content: EntryContent? = nil,
        code: UInt64? = nil
    ) -> EntryEvidence {
        EntryEvidence(
            height: height ?? self.height, position: position ?? self.position,
            content: content ?? self.content, code: code ?? self.code, resultsPath: resultsPath,
            logPath: logPath)
    }
}

extension Header {
    func with(timeMs: UInt64) -> Header {
        Header(
            chain: chain, height: height, epoch: epoch, parent: parent, timeMs: timeMs,
            logSize: logSize, logRoot: logRoot, stateRoot: stateRoot, resultsRoot: resultsRoot,
            entryCount: entryCount, validators: validators, nextValidators: nextValidators)
    }
}
