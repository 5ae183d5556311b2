import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Policy
import Records
import TestLedgers
import Testing

/// What the records of now, and the entries that changed them, say about a moment before.
@Suite struct MomentTests {
    /// A licence that was agreed and not ended yet: of two uses, for ten seconds.
    private struct Licensed {
        let ledger: ExecutedLedger
        let licence: Digest
        /// Of the block that agreed to it.
        let agreed: Header

        init(_ suite: LedgerCrypto.Suite = .ed25519SHA256) throws {
            ledger = try ExecutedLedger(suite)
            let terms = OfferPublish.example
            let asset = AssetRecord.id(
                provider: ExecutedLedger.member(3), code: AssetRegister.example.code, suite: suite)
            let publish = try ledger.sign(
                OfferPublish(
                    asset: asset, venue: ExecutedLedger.member(5),
                    sandboxOperator: ExecutedLedger.member(6), priceFen: 100,
                    purposes: terms.purposes, columns: terms.columns, durationMs: 10_000,
                    usesMax: 2, groupMinimum: terms.groupMinimum), by: 3)
            let request = try ledger.sign(
                LicenceRequest(
                    offer: publish.value.id, bank: ExecutedLedger.member(1),
                    purpose: terms.purposes[0], columns: [terms.columns[0]], uses: 2,
                    statementCommitment: .zero, pseudonymSalt: [UInt8](repeating: 9, count: 16)),
                by: 2)
            licence = request.value.id
            let steps = [
                try ledger.sign(AssetRegister.example, by: 3),
                try ledger.sign(AssetApprove(asset: asset, reviewCommitment: .zero), by: 4),
                publish, try ledger.sign(OfferAdmit(offer: publish.value.id), by: 5),
                try ledger.sign(
                    DepositConfirm(
                        member: ExecutedLedger.member(2), amountFen: 200,
                        referenceCommitment: .zero), by: 1),
                request, try ledger.sign(LicenceAgree(agreement: licence), by: 3),
            ]
            for step in steps { #expect(ledger.run([step]) == [.accepted]) }
            agreed = try #require(ledger.checkpoint()).header
        }

        func run<Body: TransactionBody>(_ body: Body, by member: Int) throws -> Digest {
            let step = try ledger.sign(body, by: member)
            #expect(ledger.run([step]) == [.accepted])
            return step.value.id
        }

        var now: Header {
            get throws { try #require(ledger.checkpoint()).header }
        }

        func bundle(
            _ question: EvidenceQuestion,
            disclosing: @escaping EvidenceBundle.Disclosure = { _ in true }
        ) throws -> EvidenceBundle {
            try EvidenceBundle.answering([question], from: ledger, disclosing: disclosing)
        }

        func answer(_ question: EvidenceQuestion) throws -> ProvenAnswer {
            try verifier.verify(try bundle(question).encoded, asked: [question])
        }

        var verifier: Verifier { Verifier(genesis: ledger.genesis) }

        func licence(at moment: Moment) throws -> ProvenLicence {
            guard case .licence(let found) = try answer(.licence(licence, at: moment)).findings[0]
            else { throw EvidenceSourceError.missing("a finding about the licence") }
            return found
        }
    }

    @Test(arguments: Suite.allCases) func aLicenceIsLiveForItsTerm(
        suite: LedgerCrypto.Suite
    ) throws {
        let world = try Licensed(suite)
        let start = world.agreed
        world.ledger.run([], afterMs: 5_000)
        #expect(
            try world.licence(at: .height(start.height - 1)).standing
                == .notYet(startsMs: start.timeMs))
        #expect(
            try world.licence(at: .time(start.timeMs - 1)).standing
                == .notYet(startsMs: start.timeMs))
        let live = try world.licence(at: .time(start.timeMs + 4_000))
        #expect(live.standing == .live && live.moment.height == start.height)
        #expect(live.quota == .notUsedUp(releasedAtMost: 0, of: 2))
        let now = try world.licence(at: .height(try world.now.height))
        #expect(now.standing == .live && now.quota == .left(2))
        // Nothing is said about what has not come yet.
        for moment in [Moment.time(try world.now.timeMs + 1), .height(try world.now.height + 1)] {
            let found = problem(
                try world.bundle(.licence(world.licence, at: moment)), world.verifier)
            #expect(found?.standing == .notYet)
            #expect(found?.place == .question(0))
        }
        // Before the ledger there was nothing, whatever bundle is asked for.
        let before = Moment.time(world.ledger.genesis.timeMs - 1)
        let never = problem(try world.bundle(.licence(world.licence, at: before)), world.verifier)
        #expect(never?.fault == .beforeTheLedger(timeMs: world.ledger.genesis.timeMs - 1))
        #expect(never?.standing == .notProven)
        // It runs out, and is settled later; it was no longer live in between either.
        world.ledger.run([], afterMs: 30_000)
        let end = start.timeMs + 10_000
        #expect(try world.licence(at: .time(end)).standing == .expired(expiresMs: end))
        #expect(try world.licence(at: .time(end - 1)).standing == .live)
        let answer = try world.answer(.licence(world.licence, at: .time(end - 1)))
        let text = EvidenceReport(answer).text
        #expect(text.contains("LIVE") && text.contains("有效"))
        #expect(text.contains("as of height \(answer.height)"))
        #expect(answer.json.encodedText.contains(#""standing":"live""#))
        let nobody = try world.answer(.licence(.zero, at: .height(1))).findings[0]
        guard case .licence(let unknown) = nobody else {
            Issue.record("another finding")
            return
        }
        #expect(unknown.standing == .unknown && unknown.record == nil)
    }

    @Test func aClosedLicenceNeedsTheEntryThatClosedIt() throws {
        let world = try Licensed()
        let before = try world.now.height
        let closing = try world.run(LicenceClose(agreement: world.licence), by: 2)
        let height = try world.now.height
        world.ledger.run([])
        #expect(try world.licence(at: .height(before)).standing == .live)
        #expect(try world.licence(at: .height(height)).standing == .closed(height: height))
        // The entry that says so is part of the answer, and its signature is as good as the bundle's keys.
        let question = EvidenceQuestion.licence(world.licence, at: .height(before))
        let answer = try world.answer(question)
        guard case .licence(let found) = answer.findings[0],
            case .transaction(closing, _, .valid) = found.closing?.content
        else {
            Issue.record("the closing entry is in the answer")
            return
        }
        let unchecked = Claim.signaturesNotRechecked(count: 1)
        #expect(!answer.claims.contains(unchecked))
        #expect(EvidenceReport(answer).text.contains(closing.hex))
        var keyless = try EvidenceBundle.answering(
            EvidenceQuestion.sorted([question, .licence(world.licence, at: .height(height))]),
            from: world.ledger)
        keyless.records.removeAll {
            $0.key != StateKey.digest(.agreement, world.licence, suite: world.ledger.suite)
        }
        let less = try world.verifier.verify(keyless.encoded)
        #expect(less.claims.contains(unchecked))
        #expect(less.json.encodedText.contains(#""signature":"not-rechecked""#))
        let withheld = try world.bundle(question, disclosing: { _ in false })
        let missing = problem(withheld, world.verifier)
        #expect(missing == EvidenceProblem(.question(0), .closingNotIncluded))
        #expect(missing?.standing == .notProven)
        // It stays closed when its end has come; without the entry, the end is what is known.
        world.ledger.run([], afterMs: 30_000)
        let end = Moment.time(world.agreed.timeMs + 10_000)
        #expect(try world.licence(at: end).standing == .closed(height: height))
        let after = try world.bundle(
            .licence(world.licence, at: end), disclosing: { _ in false })
        guard case .licence(let ended) = try world.verifier.verify(after.encoded).findings[0]
        else {
            Issue.record("another finding")
            return
        }
        #expect(ended.standing == .expired(expiresMs: world.agreed.timeMs + 10_000))
        // Where the time alone decides, the entry is not needed.
        let early = EvidenceQuestion.licence(world.licence, at: .height(1))
        #expect(
            problem(try world.bundle(early, disclosing: { _ in false }), world.verifier) == nil)
        var lie = try world.bundle(question)
        let transaction = try world.bundle(.transaction(closing))
        #expect(lie.entries == transaction.entries)
        lie.entries = []
        #expect(problem(lie, world.verifier)?.fault == .closingNotIncluded)
    }

    @Test func aLicenceOfAFrozenAssetIsLiveAndThatIsSaid() throws {
        let world = try Licensed()
        let regulator = ExecutedLedger.member(4)
        _ = try world.run(
            MemberGrant(member: regulator, role: .regulator, decisionCommitment: .zero), by: 0)
        let before = try world.now.height
        let asset = AssetRecord.id(
            provider: ExecutedLedger.member(3), code: AssetRegister.example.code,
            suite: world.ledger.suite)
        _ = try world.run(
            AssetFreeze(
                asset: asset, office: .regulator, reason: .investigation, referenceCommitment: .zero
            ), by: 4)
        let frozen = try world.now.height
        let unproven = Claim.freezesNotShown([asset])
        for height in [before, frozen] {
            let question = EvidenceQuestion.licence(world.licence, at: .height(height))
            let answer = try world.answer(question)
            guard case .licence(let found) = answer.findings[0] else {
                Issue.record("another finding")
                return
            }
            #expect(found.standing == .live)
            #expect(answer.claims.contains(unproven))
            #expect(EvidenceReport(answer).text.contains("当时是否被冻结：\(asset.hex)"))
            // Who asks for the rights log sees the freeze; the other logs do not show it.
            for (log, isShown) in [(EventLogKind.rights, true), (.trades, false)] {
                let both = EvidenceQuestion.sorted([
                    question, .assetHistory(asset: asset, logs: [log]),
                ])
                let whole = try world.verifier.verify(
                    try EvidenceBundle.answering(both, from: world.ledger))
                #expect(whole.claims.contains(unproven) != isShown)
            }
        }
        let early = try world.answer(.licence(world.licence, at: .height(1)))
        #expect(!early.claims.contains(unproven))
    }

    @Test func aRevocationCountsFromItsBlock() throws {
        let world = try Licensed()
        let regulator = ExecutedLedger.member(4)
        _ = try world.run(
            MemberGrant(member: regulator, role: .regulator, decisionCommitment: .zero), by: 0)
        let granted = try world.now.height
        _ = try world.run(
            LicenceRevoke(
                agreement: world.licence, ground: .ruling, referenceCommitment: .zero), by: 4)
        let revoked = try world.now.height
        world.ledger.run([])
        #expect(try world.licence(at: .height(revoked - 1)).standing == .live)
        #expect(
            try world.licence(at: .height(revoked)).standing == .revoked(height: revoked))
        // Its end had come meanwhile, which is not why it was not live.
        let end = Moment.time(world.agreed.timeMs + 10_000)
        world.ledger.run([], afterMs: 30_000)
        #expect(try world.licence(at: end).standing == .revoked(height: revoked))
        for (height, isHeld) in [(granted - 1, false), (granted, true), (revoked, true)] {
            let answer = try world.answer(.role(.regulator, of: regulator, at: .height(height)))
            guard case .role(let role) = answer.findings[0] else {
                Issue.record("another finding")
                return
            }
            #expect(role.isHeld == isHeld, "height \(height)")
            #expect(EvidenceReport(answer).text.contains(isHeld ? "具有" : "不具有"))
        }
        _ = try world.run(
            MemberWithdraw(member: regulator, role: .regulator, decisionCommitment: .zero), by: 0)
        let withdrawn = try world.now.height
        for (height, isHeld) in [(withdrawn - 1, true), (withdrawn, false)] {
            guard
                case .role(let role) = try world.answer(
                    .role(.regulator, of: regulator, at: .height(height))
                ).findings[0]
            else {
                Issue.record("another finding")
                return
            }
            #expect(role.isHeld == isHeld, "height \(height)")
        }
        // Held since enrolment, without a period; and somebody whom nobody knows.
        for (member, isHeld) in [
            (ExecutedLedger.member(3), true), (ExecutedLedger.member(99), false),
        ] {
            guard
                case .role(let role) = try world.answer(
                    .role(.provider, of: member, at: .height(1))
                ).findings[0]
            else {
                Issue.record("another finding")
                return
            }
            #expect(role.isHeld == isHeld)
        }
    }

    @Test func anOutputIsReviewedAndReleased() throws {
        let world = try Licensed()
        let output = world.ledger.suite.digest([7])
        let purpose = OfferPublish.example.purposes[0]
        func submit() throws -> Digest {
            try world.run(
                JobSubmit(
                    agreement: world.licence, purpose: purpose, queryCommitment: .zero), by: 2)
        }
        let (first, second) = (try submit(), try submit())
        for job in [first, second] {
            _ = try world.run(
                JobHold(job: job, outputCommitment: output, rowsRead: 9, groups: 3), by: 6)
        }
        _ = try world.run(OutputRelease(job: first, outputCommitment: output), by: 7)
        let released = try world.now.height
        _ = try world.run(
            OutputReject(job: second, outputCommitment: output, reason: .dominantContributor),
            by: 7)
        let answer = try world.answer(.output(job: first))
        guard case .output(let proven) = answer.findings[0] else {
            Issue.record("another finding")
            return
        }
        #expect(proven.releasedBy == ExecutedLedger.member(7))
        #expect(proven.steps.count == 3 && proven.steps.last?.height == released)
        #expect(EvidenceReport(answer).text.contains("审核并放行"))
        guard case .output(let rejected) = try world.answer(.output(job: second)).findings[0]
        else {
            Issue.record("another finding")
            return
        }
        #expect(rejected.releasedBy == nil && rejected.record?.status == .rejected)
        #expect(rejected.steps.count == 3)
        guard case .output(let unknown) = try world.answer(.output(job: .zero)).findings[0]
        else {
            Issue.record("another finding")
            return
        }
        #expect(unknown.record == nil && unknown.releasedBy == nil)
        // The record alone proves the release; who shows no entries proves no more.
        let bare = try world.bundle(.output(job: first), disclosing: { _ in false })
        let least = try world.verifier.verify(bare)
        guard case .output(let withheld) = least.findings[0] else {
            Issue.record("another finding")
            return
        }
        #expect(withheld.releasedBy != nil && withheld.steps.isEmpty)
        #expect(EvidenceReport(least).text.contains("未在此披露"))
        #expect(!answer.claims.contains { if case .stepsNotShown = $0 { true } else { false } })
        #expect(!EvidenceReport(answer).text.contains("未在此披露"))
        // Whichever steps are withheld or left out, the answer says which.
        for (job, last) in [(first, TransactionKind.outputRelease), (second, .outputReject)] {
            let kinds = [TransactionKind.jobSubmit, .jobHold, last]
            let whole = try world.bundle(.output(job: job))
            for hidden in 1..<8 {
                let isHidden = { (index: Int) in hidden >> index & 1 == 1 }
                var dropped = whole
                dropped.entries = whole.entries.indices.filter { !isHidden($0) }
                    .map { whole.entries[$0] }
                let digests = whole.entries.indices.filter(isHidden)
                    .map { whole.entries[$0].content.digest(world.ledger.suite) }
                let redacted = try whole.withholding(
                    envelopes: Set(digests), records: [], world.ledger.suite)
                for bundle in [dropped, redacted] {
                    let answer = try world.verifier.verify(bundle.encoded)
                    let missing = kinds.indices.filter(isHidden).map { kinds[$0] }
                    #expect(answer.claims.contains(.stepsNotShown(job: job, missing)))
                    #expect(
                        answer.json.encodedText.contains(
                            #""stepsNotShown":[\#(missing.map { "\"\($0.name)\"" }.joined(separator: ","))]"#
                        ))
                    for kind in missing {
                        #expect(EvidenceReport(answer).text.contains("\(kind.titleZh)：记录证明其已发生"))
                    }
                }
            }
        }
    }

    @Test func aTimeNeedsTheBlockBeforeAndTheOneAfter() throws {
        let world = try Licensed()
        world.ledger.run([], afterMs: 1_000)
        world.ledger.run([], afterMs: 1_000)
        let question = EvidenceQuestion.licence(
            world.licence, at: .time(world.agreed.timeMs + 500))
        let good = try world.bundle(question)
        #expect(
            good.ancestors.map(\.header.height)
                == [world.agreed.height, world.agreed.height + 1])
        for index in good.ancestors.indices {
            var lie = good
            lie.ancestors.remove(at: index)
            #expect(problem(lie, world.verifier)?.fault == .headerNotIncluded)
        }
        let whole = try EvidenceBundle.answering(
            [question, .header(height: 1, digest: nil), .output(job: .zero)], from: world.ledger)
        let number = try #require(whole.questions.firstIndex(of: question))
        #expect(try whole.split([number], world.ledger.suite) == good)
    }

    @Test func questionsHaveOneForm() throws {
        let member = ExecutedLedger.member(1)
        for question in [
            EvidenceQuestion.licence(.zero, at: .height(7)), .licence(.zero, at: .time(.max)),
            .role(.provider, of: member, at: .time(0)), .output(job: .zero),
        ] {
            #expect(decodesExactly(question, limits: .standard))
        }
        let zeros = String(repeating: "00", count: 32)
        #expect(
            Hex.encode(EvidenceQuestion.licence(.zero, at: .height(7)).encoded)
                == "83045820" + zeros + "820007")
        #expect(Hex.encode(EvidenceQuestion.output(job: .zero).encoded) == "82065820" + zeros)
        let role = EvidenceQuestion.role(.provider, of: try #require(MemberID("A-1")), at: .time(9))
        #expect(Hex.encode(role.encoded) == "840563412d3102820109")
        #expect(throws: CBORError.self) { try Moment.decode([0x82, 0x02, 0x00]) }
    }
}
