import Client
import Encoding
import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@Suite(.timeLimit(.minutes(2))) struct SubmissionTests {
    @Test(arguments: LedgerCrypto.Suite.allCases)
    func anAssetIsRegisteredProvenFoundAndShown(_ suite: LedgerCrypto.Suite) async throws {
        try await Market1.with(suite: suite) { market in
            let provider = try market.client(.provider)
            let body = AssetRegister.sample(
                code: "a-1", titleZh: "逐时气象观测", titleEn: "Hourly weather", keywords: ["wind"])
            let answer = try await provider.submit(body)
            try accepted(answer)
            let id = AssetRecord.id(
                provider: Market1.id(.provider), code: "a-1", suite: suite)
            let proven = try await market.client(nil).asset(id)
            #expect(proven.value?.titleZh == "逐时气象观测")
            #expect(proven.height >= answer.height ?? .max)
            for words in ["逐时气象", "气象", "hourly", "WIND", "a-1", "Hourly 观测"] {
                let found = try await provider.searchAssets(words)
                #expect(found.map { $0["asset"]?.text } == [id.hex], "\(words)")
            }
            #expect(try await provider.searchAssets("海洋").isEmpty)
            let shown = try await provider.json("/v1/records/asset/\(id.hex)")
            #expect(shown == proven.value?.json)
            #expect(try await provider.json("/v1/assets/\(id.hex)") == shown)
        }
    }

    @Test func aRefusalIsRecordedAndProven() async throws {
        try await Market1.with { market in
            let buyer = try market.client(.buyer)
            let answer = try await buyer.submit(AssetRegister.sample(code: "b-1"))
            #expect(answer.status == .final && answer.code == .notPermitted)
            #expect(answer.height != nil && answer.index != nil)
            let again = try await buyer.json("/v1/transactions/\(try #require(answer.id).hex)")
            #expect(again["codeName"]?.text == "not-permitted")
            #expect(again["height"]?.unsigned == answer.height)
        }
    }

    @Test func manyAtOnceKeepTheirOrder() async throws {
        try await Market1.with { market in
            let provider = try market.client(.provider)
            let height = market.height
            let signed = try (0..<100).map {
                try provider.sign(AssetRegister.sample(code: "n-\($0)"), atHeight: height)
            }
            let answers = try await provider.post(signed.map(\.bytes))
            #expect(answers.map(\.id) == signed.map(\.id))
            #expect(answers.map(\.envelope) == signed.map(\.digest))
            let all = answers.allSatisfy { $0.isAccepted }
            #expect(all)
        }
    }

    /// Issue 2, "Bad input": each its own stable code.
    @Test func everyKindOfBadInputHasItsOwnCode() async throws {
        try await Market1.with { market in
            let provider = try market.client(.provider)
            let bad = BadEnvelopes(market)
            for (number, code) in bad.all().map(\.0).enumerated() {
                // Made anew for each, since heights grow meanwhile.
                let bytes = bad.all()[number].1
                let answer = try await provider.post([bytes])[0]
                #expect(answer.code == code, "expected \(code.name), got \(answer.code.name)")
                #expect(answer.status == (code.isRecorded ? .final : .refused))
            }
            let good = try provider.sign(
                AssetRegister.sample(code: "g"), atHeight: market.height)
            #expect(try await provider.post([good.bytes])[0].isAccepted)
            let again = try await provider.post([good.bytes])[0]
            #expect(again.code == .replayed && again.status == .refused)
        }
    }

    @Test func theSamePayloadUnderAnotherEnvelopeIsADuplicate() async throws {
        // SM2 signatures are randomised: signing twice gives two envelopes.
        try await Market1.with(suite: .sm2SM3) { market in
            let pair = BadEnvelopes(market).twoEnvelopesOfOnePayload()
            #expect(pair.0 != pair.1)
            let answers = try await market.client(.provider).post([pair.0, pair.1])
            #expect(answers[0].isAccepted)
            #expect(answers[1].code == .duplicate && answers[1].id == answers[0].id)
            let later = try await market.client(.provider).post([pair.1])
            #expect(later[0].code == .replayed)
        }
    }

    @Test func anUndecodableEnvelopeSpoilsNoOther() async throws {
        try await Market1.with { market in
            let provider = try market.client(.provider)
            let good = try provider.sign(
                AssetRegister.sample(code: "g"), atHeight: market.height)
            let answers = try await provider.post([[0xFF], good.bytes, []])
            #expect(answers.map(\.code) == [.undecodable, .accepted, .undecodable])
        }
    }
}

/// Envelopes that are wrong in one way each, signed for the height at which they are made.
private struct BadEnvelopes {
    let market: Market1
    private let chain: ChainID

    init(_ market: Market1) {
        self.market = market
        chain = market.genesis.chain
    }

    /// - Parameter lastValidHeight: half a replay window ahead unless given, as the client has it.
    private func transaction(
        kind: UInt64 = TransactionKind.evidenceRecord.rawValue, lastValidHeight: UInt64? = nil,
        member: Market1.Name = .provider, body: [UInt8] = RecordEvidence.example.encoded
    ) -> Transaction {
        let windowBlocks = market.genesis.parameters.replayWindowBlocksMax
        return Transaction(
            kind: kind, nonce: SecureRandom.bytes(LedgerLimits.nonceBytes),
            lastValidHeight: lastValidHeight ?? market.height + windowBlocks / 2,
            member: Market1.id(member), body: body)
    }

    private func sign(
        _ transaction: Transaction, chain: ChainID? = nil, key: SigningKey? = nil
    ) -> [UInt8] {
        Envelope.sign(
            transaction, chain: chain ?? self.chain, with: key ?? market.key(.provider))
    }

    func all() -> [(OutcomeCode, [UInt8])] {
        let good = sign(transaction())
        var flipped = good
        flipped[flipped.count - 1] ^= 1
        let other = Suite.ed25519SHA256.digest([1])
        let protected = SigningContext.request.protectedHeader(
            suite: .ed25519SHA256, keyID: market.key(.provider).publicKey.keyID, chain: chain)
        let wrongContext = CoseSign1.sign(
            protected: protected, payload: transaction().encoded, detached: false,
            with: market.key(.provider)
        ).encoded
        var note = CBOREncoder()
        note.map(1)
        note.unsigned(1)
        note.bytes([UInt8](repeating: 0, count: 40_000))
        return [
            (.undecodable, Array(good.dropLast())),
            (.undecodable, good + [0]),
            (.tooLarge, sign(transaction(body: note.bytes))),
            (.wrongSuite, sign(transaction(), key: .generate(.sm2SM3))),
            (.wrongChain, sign(transaction(), chain: other)),
            (.wrongContext, wrongContext),
            (.unknownKey, sign(transaction(), key: .generate(.ed25519SHA256))),
            (.unknownKey, sign(transaction(), key: market.key(.buyer))),
            (.badSignature, flipped),
            (.expired, sign(transaction(lastValidHeight: 0))),
            (.tooFarAhead, sign(transaction(lastValidHeight: 1_000_000))),
            (.unknownKind, sign(transaction(kind: 999))),
            (.malformedBody, sign(transaction(body: [0xA0]))),
            (
                .notPermitted,
                sign(
                    transaction(
                        kind: TransactionKind.assetApprove.rawValue,
                        body: AssetApprove.example.encoded))
            ),
        ]
    }

    func twoEnvelopesOfOnePayload() -> ([UInt8], [UInt8]) {
        let payload = transaction()
        return (sign(payload), sign(payload))
    }
}
