import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Market
import Policy
import Records
import Synchronization
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct JobServiceTests {
    private static let good = "SELECT city, COUNT(*) AS n, AVG(amount) FROM sales GROUP BY city"

    @Test func aJobIsHeldReviewedAndReleased() async throws {
        let market = try Market1()
        let service = try market.service()
        let job = try market.submit(JobServiceTests.good, 9)
        let body: JSONValue = [
            "agreement": .hex(job.agreement), "job": .hex(job.job), "purpose": .text(job.purpose),
            "sql": .text(job.sql), "salt": .text(Hex.encode(job.salt)),
        ]
        #expect(
            await market.ask(service, "FRIEND", "/v1/jobs", method: "POST", body: body).0 == 403)
        let taken = await market.ask(service, "BUYER", "/v1/jobs", method: "POST", body: body)
        #expect(taken.0 == 202)
        #expect(try await market.settled(job.job).stage == .held)
        // Sending it again does nothing again.
        #expect(await market.ask(service, "BUYER", "/v1/jobs", method: "POST", body: body).0 == 202)
        #expect(market.ledger.state.withLock { $0.accepted } == [.jobHold])

        let path = "/v1/jobs/\(job.job.hex)"
        #expect(await market.ask(service, "BUYER", path).1["status"]?.text == "held")
        #expect(await market.ask(service, "REVIEWER", path).0 == 403)
        #expect(await market.ask(service, "BUYER", path + "/output").0 == 403)
        #expect(await market.ask(service, "BUYER", "/v1/reviews").0 == 403)
        #expect(await market.ask(service, "FRIEND", "/v1/reviews").1["jobs"]?.list?.count == 0)
        #expect(await market.ask(service, "FRIEND", "/v1/reviews/\(job.job.hex)").0 == 403)
        #expect(await market.ask(service, "REVIEWER", "/v1/reviews").1["jobs"]?.list?.count == 1)
        let review = await market.ask(service, "REVIEWER", "/v1/reviews/\(job.job.hex)").1
        #expect(review["sql"]?.text == job.sql && review["rows"]?.list?.count == 3)
        let bytes = try #require(review["output"]?.text.flatMap { Base64URL.decode($0) })
        let salt = try #require(review["salt"]?.text.flatMap { Hex.decode($0) })
        let commitment = market.ledger.state.withLock { $0.jobs[job.job]?.outputCommitment }
        #expect(Salted.commit(salt: salt, value: bytes, suite: .ed25519SHA256) == commitment)

        market.ledger.state.withLock { $0.jobs[job.job]?.status = .released }
        let output = await market.ask(service, "BUYER", path + "/output")
        #expect(output.0 == 200 && output.1["rows"] == review["rows"])
        #expect(await market.ask(service, "REVIEWER", "/v1/reviews/\(job.job.hex)").0 == 404)
    }

    @Test func refusalsGoToTheLedgerWithTheirCode() async throws {
        let market = try Market1()
        let service = try market.service()
        for (index, (sql, code)) in [
            ("SELECT shop, amount FROM sales", OutcomeCode.rowLevelOutput),
            ("SELECT shop, COUNT(*) FROM sales GROUP BY shop", .groupTooSmall),
            ("SELECT AVG(score) FROM sales", .scopeNotPermitted), ("DROP TABLE sales", .sqlRefused),
        ].enumerated() {
            let job = try market.submit(sql, UInt8(20 + index))
            _ = try await service.take(job, from: market.licence.buyer)
            let row = try await market.settled(job.job)
            #expect(row.stage == .refused && row.code == code && row.output == nil)
            let refusal = market.ledger.state.withLock { $0.jobs[job.job]?.refusal }
            #expect(refusal == code.rawValue)
            let shown = await market.ask(service, "BUYER", "/v1/jobs/\(job.job.hex)").1
            #expect(shown["codeName"]?.text == code.name)
        }
    }

    @Test func licencesAreCheckedAgain() async throws {
        let market = try Market1()
        let service = try market.service()
        market.ledger.state.withLock { $0.licences[market.licence.id]?.expiresMs = 1 }
        let late = try market.submit(JobServiceTests.good, 30)
        _ = try await service.take(late, from: market.licence.buyer)
        #expect(try await market.settled(late.job).code == .licenceEnded)
        let wrong = try market.submit(JobServiceTests.good, 31)
        await #expect(throws: SandboxError.commitment) {
            try await service.take(
                .init(
                    agreement: wrong.agreement, job: wrong.job, purpose: wrong.purpose,
                    sql: wrong.sql + " ", salt: wrong.salt), from: market.licence.buyer)
        }
        await #expect(throws: SandboxError.notReady) {
            try await service.take(
                .init(
                    agreement: wrong.agreement, job: try Market1.id(99), purpose: wrong.purpose,
                    sql: wrong.sql, salt: wrong.salt), from: market.licence.buyer)
        }
        market.ledger.state.withLock { $0.ageMs = 61_000 }
        await #expect(throws: ClientError.self) {
            try await service.take(wrong, from: market.licence.buyer)
        }
    }

    /// A crash at any step: a new service over the same folder ends the job, once.
    @Test(arguments: [JobStage.queued, .holding])
    func crashes(_ stage: JobStage) async throws {
        let market = try Market1()
        let job = try market.submit(JobServiceTests.good, 40)
        // The first service stops for good in that stage: its runner never answers, or its ledger is gone.
        let first = try market.service(stage == .queued ? NeverRuns() : LocalRunner())
        _ = try await first.take(job, from: market.licence.buyer)
        if stage == .holding {
            let done = try await market.settled(job.job)
            // As the crash finds it when the hold went out and the answer did not come back.
            var row = done
            row.stage = .holding
            let before = row
            try await first.store.perform { try before.update(in: $0) }
        }
        await first.stop()
        let second = try market.service()
        await second.start()
        let row = try await market.settled(job.job)
        #expect(row.stage == .held)
        #expect(market.ledger.state.withLock { $0.accepted } == [.jobHold])
        let commitment = market.ledger.state.withLock { $0.jobs[job.job]?.outputCommitment }
        #expect(row.commitment == commitment)
    }

    @Test func anUnreachableLedgerOnlyDelays() async throws {
        let market = try Market1()
        let service = try market.service(RunsAsTheLedgerFails(ledger: market.ledger))
        let job = try market.submit(JobServiceTests.good, 50)
        _ = try await service.take(job, from: market.licence.buyer)
        try await market.ledger.state.wait { $0.missed >= 3 }
        #expect(try await service.row(job.job)?.stage == .holding)
        market.ledger.state.withLock { $0.isDown = false }
        #expect(try await market.settled(job.job).stage == .held)
        #expect(market.ledger.state.withLock { $0.accepted } == [.jobHold])
    }

    @Test func tokensAreChecked() async throws {
        let market = try Market1()
        let service = try market.service()
        let routes = SandboxRoutes(service: service)
        await #expect(throws: SandboxError.needsToken) {
            try await routes.answer(
                method: "GET", path: "/v1/reviews", authorization: nil, body: [])
        }
        let key = try #require(market.keys["REVIEWER"])
        let other = RequestToken.header(
            method: "GET", path: "/v1/jobs/x", timeMs: JobService.nowMs(),
            chain: market.ledger.chain, with: key)
        await #expect(throws: SandboxError.tokenOther) {
            try await routes.answer(
                method: "GET", path: "/v1/reviews", authorization: other, body: [])
        }
        let stranger = RequestToken.header(
            method: "GET", path: "/v1/reviews", timeMs: JobService.nowMs(),
            chain: market.ledger.chain, with: SigningKey.generate(.ed25519SHA256))
        await #expect(throws: SandboxError.self) {
            try await routes.answer(
                method: "GET", path: "/v1/reviews", authorization: stranger, body: [])
        }
    }

    /// What the ledger will never take is signed once and kept; a start tries once more.
    @Test(arguments: [JobServiceTests.good, "SELECT shop, amount FROM sales"])
    func whatTheLedgerNeverTakesStops(_ sql: String) async throws {
        let market = try Market1()
        let service = try market.service()
        market.ledger.state.withLock { $0.answers = .mandateMissing }
        let job = try market.submit(sql, 60)
        _ = try await service.take(job, from: market.licence.buyer)
        let row = try await market.settled(job.job)
        #expect(row.stage == .stopped)
        #expect((row.output == nil) == (row.code == .rowLevelOutput))
        let shown = await market.ask(service, "BUYER", "/v1/jobs/\(job.job.hex)").1
        #expect(shown["status"]?.text == "stopped" && shown["codeName"]?.text == row.code?.name)
        await service.stop()
        #expect(market.ledger.state.withLock { $0.signed } == 1)
        #expect(market.ledger.state.withLock { $0.posts } == 1)

        market.ledger.state.withLock { $0.answers = nil }
        let second = try market.service()
        await second.start()
        let end: JobStage = row.output == nil ? .refused : .held
        let done = try await market.settled(job.job)
        #expect(done.stage == end && done.code == (row.output == nil ? .rowLevelOutput : nil))
        #expect(market.ledger.state.withLock { $0.signed } == 2)
    }

    /// Each number is a decision of its own, so that a new one is thought of; only `expired` is signed anew.
    @Test func onlyAnExpiredDecisionIsSignedAnew() async throws {
        for code in OutcomeCode.allCases {
            for stage in [JobStage.holding, .refusing] {
                let next = JobService.next(after: code, in: stage)
                #expect((next == .signAnew) == (code == .expired), "\(code)")
                #expect((next == .refuse) == (code == .licenceEnded && stage == .holding))
            }
        }
        for code in [OutcomeCode.busy, .overQuota, .unavailable, .replayed, .accepted] {
            #expect(JobService.next(after: code, in: .holding) == .wait)
        }
        let market = try Market1()
        let service = try market.service()
        market.ledger.state.withLock { $0.answers = .overQuota }
        let job = try market.submit(JobServiceTests.good, 61)
        _ = try await service.take(job, from: market.licence.buyer)
        try await market.ledger.state.wait { $0.posts >= 3 }
        #expect(market.ledger.state.withLock { $0.signed } == 1)
        market.ledger.state.withLock { $0.answers = nil }
        #expect(try await market.settled(job.job).stage == .held)
        #expect(market.ledger.state.withLock { $0.signed } == 1)
    }

    @Test func heldJobsTakeUpRoom() async throws {
        let market = try Market1()
        var options = JobService.Options()
        options.openJobsMax = 1
        let service = try market.service(options: options)
        let first = try market.submit(JobServiceTests.good, 62)
        _ = try await service.take(first, from: market.licence.buyer)
        #expect(try await market.settled(first.job).stage == .held)
        let second = try market.submit(JobServiceTests.good, 63)
        await #expect(throws: SandboxError.busy) {
            try await service.take(second, from: market.licence.buyer)
        }
        market.ledger.state.withLock { $0.jobs[first.job]?.status = .released }
        #expect(try await service.held().isEmpty)
        _ = try await service.take(second, from: market.licence.buyer)
        #expect(try await market.settled(second.job).stage == .held)
    }

    @Test(arguments: [
        ("commitment", "x'00'"), ("buyer", "'b'"), ("groups", "-1"), ("code", "99"),
        ("rows_read", "-1"), ("agreement", "x'01'"),
    ])
    func aDamagedRowIsNamed(_ column: String, _ value: String) async throws {
        let market = try Market1()
        let service = try market.service()
        let job = try market.submit(JobServiceTests.good, 64)
        _ = try await service.take(job, from: market.licence.buyer)
        _ = try await market.settled(job.job)
        try await service.store.perform { try $0.execute("UPDATE job SET \(column) = \(value)") }
        await #expect(throws: DamagedJob(number: 1, column: column)) {
            try await service.row(job.job)
        }
    }

    /// More jobs than a page has rows, in the order of their arrival.
    @Test func listsArePaged() async throws {
        let market = try Market1()
        let service = try market.service()
        let count = Int(JobRow.pageRows) * 2 + 3
        var ids: [Digest] = []
        var rows: [JobRow] = []
        for number in 0..<count {
            let id = try #require(
                Digest(bytes: [UInt8(number)] + [UInt8](repeating: 7, count: 31)))
            var record = market.record(.held)
            record.id = id
            let row = JobRow(
                id: id, agreement: market.licence.id, buyer: market.licence.buyer,
                provider: market.licence.provider, purpose: "p", stage: .held, query: [])
            market.ledger.state.withLock { [record] in $0.jobs[id] = record }
            rows.append(row)
            ids.append(id)
        }
        try await service.store.perform { [rows] database in
            try database.begin()
            for row in rows { _ = try row.insert(in: database) }
            try database.commit()
        }
        #expect(try await service.held().map(\.id) == ids)
        #expect(
            try await service.store.perform { try JobRow.count(JobStage.open, in: $0) } == count)
    }
}
