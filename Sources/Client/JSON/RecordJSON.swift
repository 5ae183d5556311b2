import Encoding
import Ledger
import LedgerCrypto
import Records

// Records as JSON: the API's answers and the command line's `show`. The first member is named after the type and
// holds the id; digests are lower-case hexadecimal, times Unix milliseconds, money fen.

extension JSONValue {
    public static func hex(_ digest: Digest) -> JSONValue { .text(digest.hex) }
    public static func hex(_ digest: Digest?) -> JSONValue { digest.map { .text($0.hex) } ?? .null }
    public static func member(_ id: MemberID) -> JSONValue { .text(id.text) }
    public static func names<Case: NumberedCase>(_ cases: [Case]) -> JSONValue {
        .texts(cases.map(\.name))
    }
}

extension AnyRecord {
    public var json: JSONValue {
        switch self {
        case .member(let record): record.json
        case .key(let record): record.json
        case .policy(let record): record.json
        case .validators(let record): record.json
        case .votingKey(let record): record.json
        case .asset(let record): record.json
        case .attestation(let record): record.json
        case .transfer(let record): record.json
        case .offer(let record): record.json
        case .agreement(let record): record.json
        case .account(let record): record.json
        case .bank(let record): record.json
        case .withdrawal(let record): record.json
        case .job(let record): record.json
        case .evidence(let record): record.json
        case .timerIndex(let record): ["days": .list(record.days.map { .unsigned($0) })]
        case .timerDay(let record):
            ["day": .unsigned(record.day), "hours": .unsigned(record.hours)]
        case .timerHour(let record):
            ["hour": .unsigned(record.hour), "deadlines": .unsigned(UInt64(record.timers.count))]
        // Shown to nobody.
        case .saltSeed: [:]
        }
    }
}

extension MemberRecord {
    public var json: JSONValue {
        [
            "member": .member(id), "nameZh": .text(nameZh), "nameEn": .text(nameEn),
            "group": .text(group), "roles": .names(roles), "status": .text(status.name),
            "liveKeys": .unsigned(liveKeys), "enrolledHeight": .unsigned(enrolledHeight),
            "rolePeriods": .list(
                rolePeriods.map { period in
                    [
                        "role": .text(period.role.name),
                        "fromHeight": .unsigned(period.fromHeight),
                        "untilHeight": .optional(period.untilHeight),
                    ]
                }),
        ]
    }
}

extension ValidatorsRecord {
    public var json: JSONValue {
        [
            "validators": .unsigned(0), "epoch": .unsigned(set.epoch),
            "setHeight": .unsigned(setHeight),
            "seats": .list(
                set.validators.map { validator in
                    [
                        "member": .member(validator.member),
                        "votingKey": .text(validator.votingKey.keyID.hex),
                        "publicKey": .text(Hex.encode(validator.votingKey.bytes)),
                        "transportKey": .text(Hex.encode(validator.transportKey)),
                    ]
                }),
        ]
    }
}

extension VotingKeyRecord {
    public var json: JSONValue {
        [
            "votingKey": .text(keyID.hex), "member": .member(member),
            "publicKey": .text(Hex.encode(publicKey.bytes)),
            "fromEpoch": .unsigned(fromEpoch), "fromHeight": .unsigned(fromHeight),
            "untilEpoch": .optional(untilEpoch), "convictedHeight": .optional(convictedHeight),
            "conviction": .hex(conviction),
        ]
    }
}

extension KeyRecord {
    public var json: JSONValue {
        [
            "key": .text(keyID.hex), "member": .member(member),
            "suite": .text(publicKey.suite.name), "publicKey": .text(Hex.encode(publicKey.bytes)),
            "person": .text(person), "mandates": .names(mandates),
            "registeredHeight": .unsigned(registeredHeight),
            "revokedHeight": .optional(revokedHeight),
        ]
    }
}

extension PolicyRecord {
    public var json: JSONValue {
        let values: [JSONValue.JSONMember] = entries.map { entry in
            switch entry.value {
            case .number(let number): .init(entry.name, .integer(number))
            case .text(let text): .init(entry.name, .text(text))
            }
        }
        return [
            "policy": .text(name), "version": .unsigned(version), "tag": .text(tag.name),
            "entries": .object(values), "setHeight": .unsigned(setHeight),
        ]
    }
}

extension AssetRecord {
    public var json: JSONValue {
        [
            "asset": .hex(id), "code": .text(code), "provider": .member(provider),
            "titleZh": .text(titleZh), "titleEn": .text(titleEn), "keywords": .texts(keywords),
            "columns": .list(
                columns.map { ["name": .text($0.name), "type": .text($0.type.name)] }),
            "entityKey": .optional(entityKey), "rowCount": .unsigned(rowCount),
            "dataCommitment": .hex(dataCommitment),
            "descriptionCommitment": .hex(descriptionCommitment), "source": .text(source),
            "sourceURL": .text(sourceURL), "ownerClass": .text(ownerClass.name),
            "level": .text(level.name), "grade": .text(grade.name), "rights": .names(rights),
            "status": .text(status.name), "registeredHeight": .optional(registeredHeight),
            "registrar": registrar.map { .member($0) } ?? .null,
            "logs": [
                "rights": rightsLog.json, "trades": tradesLog.json, "refusals": refusalsLog.json,
            ],
            "freezes": .list(freezes.map(\.json)),
            "parents": .list(parents.map { .hex($0) }),
            "holders": .list(
                DataRight.allCases.filter(rights.contains).map { right in
                    ["right": .text(right.name), "member": .member(holder(of: right))]
                }),
        ]
    }
}

extension Freeze {
    fileprivate var json: JSONValue {
        [
            "office": .text(office.name), "member": .member(member), "reason": .text(reason.name),
            "referenceCommitment": .hex(referenceCommitment), "height": .unsigned(height),
        ]
    }
}

extension EventLog {
    fileprivate var json: JSONValue { ["size": .unsigned(size), "root": .hex(root)] }
}

extension AttestationRecord {
    public var json: JSONValue {
        [
            "attestation": .hex(id), "asset": .hex(asset), "assessor": .member(assessor),
            "kind": .text(kind.name), "scoreBasisPoints": .unsigned(score),
            "expiresMs": .unsigned(expiresMs), "reportCommitment": .hex(reportCommitment),
            "height": .unsigned(height),
        ]
    }
}

extension TransferRecord {
    public var json: JSONValue {
        [
            "transfer": .hex(id), "asset": .hex(asset), "from": .member(from), "to": .member(to),
            "rights": .names(rights), "termsCommitment": .hex(termsCommitment),
            "expiresMs": .unsigned(expiresMs), "status": .text(status.name),
            "offeredHeight": .unsigned(offeredHeight),
            "registrar": registrar.map { .member($0) } ?? .null,
            "completedHeight": .optional(completedHeight),
        ]
    }
}

extension OfferRecord {
    public var json: JSONValue {
        [
            "offer": .hex(id), "asset": .hex(asset), "provider": .member(provider),
            "venue": .member(venue), "sandboxOperator": .member(sandboxOperator),
            "priceFen": .unsigned(priceFen), "purposes": .texts(purposes),
            "columns": .texts(columns), "durationMs": .unsigned(durationMs),
            "usesMax": .unsigned(usesMax), "groupMinimum": .unsigned(groupMinimum),
            "venueFeeBasisPoints": .optional(venueFeeBasisPoints), "status": .text(status.name),
            "publishedHeight": .unsigned(publishedHeight),
        ]
    }
}

extension AgreementRecord {
    public var json: JSONValue {
        [
            "agreement": .hex(id), "offer": .hex(offer), "asset": .hex(asset),
            "provider": .member(provider), "buyer": .member(buyer), "venue": .member(venue),
            "sandboxOperator": .member(sandboxOperator), "bank": .member(bank),
            "purpose": .text(purpose), "columns": .texts(columns), "priceFen": .unsigned(priceFen),
            "usesMax": .unsigned(usesMax), "usesReserved": .unsigned(usesReserved),
            "usesMetered": .unsigned(usesMetered), "durationMs": .unsigned(durationMs),
            "startsMs": .unsigned(startsMs), "expiresMs": .unsigned(expiresMs),
            "groupMinimum": .unsigned(groupMinimum),
            "venueFeeBasisPoints": .unsigned(venueFeeBasisPoints),
            "escrowFen": .unsigned(escrowFen),
            "paidFen": .unsigned(paidProviderFen + paidVenueFen),
            "paidProviderFen": .unsigned(paidProviderFen), "paidVenueFen": .unsigned(paidVenueFen),
            "refundedFen": .unsigned(refundedFen),
            "pseudonymSalt": .text(Hex.encode(pseudonymSalt)),
            "statementCommitment": .hex(statementCommitment), "status": .text(status.name),
            "requestedHeight": .unsigned(requestedHeight),
            "revocation": revocation.map(\.json) ?? .null,
        ]
    }
}

extension Revocation {
    fileprivate var json: JSONValue {
        [
            "member": .member(member), "ground": .text(ground.name),
            "referenceCommitment": .hex(referenceCommitment), "height": .unsigned(height),
        ]
    }
}

extension AccountRecord {
    public var json: JSONValue {
        [
            "account": .text("\(member)/\(bank)"), "member": .member(member),
            "bank": .member(bank), "availableFen": .unsigned(availableFen),
            "lockedFen": .unsigned(lockedFen),
            "pendingWithdrawalFen": .unsigned(pendingWithdrawalFen),
        ]
    }
}

extension BankRecord {
    public var json: JSONValue {
        [
            "bank": .member(member), "depositsFen": .unsigned(depositsFen),
            "withdrawalsFen": .unsigned(withdrawalsFen), "frozen": .bool(frozen),
        ]
    }
}

extension WithdrawalRecord {
    public var json: JSONValue {
        [
            "withdrawal": .hex(id), "member": .member(member), "bank": .member(bank),
            "amountFen": .unsigned(amountFen),
            "destinationCommitment": .hex(destinationCommitment), "status": .text(status.name),
            "requestedHeight": .unsigned(requestedHeight),
        ]
    }
}

extension JobRecord {
    public var json: JSONValue {
        let refused = refusal.flatMap { OutcomeCode(rawValue: $0) }
        return [
            "job": .hex(id), "agreement": .hex(agreement), "asset": .hex(asset),
            "buyer": .member(buyer), "purpose": .text(purpose),
            "queryCommitment": .hex(queryCommitment), "status": .text(status.name),
            "outputCommitment": .hex(outputCommitment), "rowsRead": .unsigned(rowsRead),
            "groups": .unsigned(groups), "reviewer": reviewer.map { .member($0) } ?? .null,
            "refusal": .optional(refusal), "refusalName": .optional(refused?.name),
            "submittedHeight": .unsigned(submittedHeight),
        ]
    }
}

extension EvidenceRecord {
    public var json: JSONValue {
        [
            "evidence": .hex(id), "member": .member(member), "commitment": .hex(commitment),
            "mediaType": .text(mediaType), "note": .text(note), "height": .unsigned(height),
        ]
    }
}

extension Header {
    public func json(_ suite: Suite) -> JSONValue {
        [
            "height": .unsigned(height), "headerDigest": .hex(digest(suite)),
            "chain": .hex(chain), "epoch": .unsigned(epoch), "parent": .hex(parent),
            "timeMs": .unsigned(timeMs), "logSize": .unsigned(logSize), "logRoot": .hex(logRoot),
            "stateRoot": .hex(stateRoot), "resultsRoot": .hex(resultsRoot),
            "entries": .unsigned(entryCount), "validators": .hex(validators),
            "nextValidators": .hex(nextValidators),
        ]
    }
}
