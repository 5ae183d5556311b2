extension RecordType {
    /// The names of a record's fields, that of key 1 first: as docs/records.md has them.
    public var fieldNames: [String] {
        switch self {
        case .member:
            [
                "id", "nameZh", "nameEn", "group", "roles", "status", "liveKeys", "enrolledHeight",
                "rolePeriods",
            ]
        case .key:
            [
                "keyID", "member", "publicKey", "person", "mandates", "registeredHeight",
                "revokedHeight",
            ]
        case .policy: ["name", "version", "tag", "entries", "setHeight"]
        case .validators: ["set", "setHeight"]
        case .votingKey:
            [
                "keyID", "member", "publicKey", "fromEpoch", "fromHeight", "untilEpoch",
                "convictedHeight", "conviction",
            ]
        case .asset:
            [
                "id", "code", "provider", "titleZh", "titleEn", "keywords", "columns", "entityKey",
                "rowCount", "dataCommitment", "descriptionCommitment", "source", "sourceURL",
                "ownerClass", "level", "grade", "rights", "status", "registeredHeight", "registrar",
                "rightsLog", "tradesLog", "refusalsLog", "freezes", "parents", "holders",
            ]
        case .attestation:
            ["id", "asset", "assessor", "kind", "score", "expiresMs", "reportCommitment", "height"]
        case .transfer:
            [
                "id", "asset", "from", "to", "rights", "termsCommitment", "expiresMs", "status",
                "offeredHeight", "registrar", "completedHeight",
            ]
        case .offer:
            [
                "id", "asset", "provider", "venue", "sandboxOperator", "priceFen", "purposes",
                "columns", "durationMs", "usesMax", "groupMinimum", "venueFeeBasisPoints", "status",
                "publishedHeight",
            ]
        case .agreement:
            [
                "id", "offer", "asset", "provider", "buyer", "venue", "sandboxOperator", "bank",
                "purpose", "columns", "priceFen", "usesMax", "usesReserved", "usesMetered",
                "durationMs", "startsMs", "expiresMs", "groupMinimum", "venueFeeBasisPoints",
                "escrowFen", "paidProviderFen", "paidVenueFen", "refundedFen", "pseudonymSalt",
                "statementCommitment", "status", "requestedHeight", "revocation",
            ]
        case .job:
            [
                "id", "agreement", "asset", "buyer", "purpose", "queryCommitment", "status",
                "outputCommitment", "rowsRead", "groups", "reviewer", "refusal", "submittedHeight",
            ]
        case .account: ["member", "bank", "availableFen", "lockedFen", "pendingWithdrawalFen"]
        case .bank: ["member", "depositsFen", "withdrawalsFen", "frozen"]
        case .withdrawal:
            [
                "id", "member", "bank", "amountFen", "destinationCommitment", "status",
                "requestedHeight",
            ]
        case .evidence: ["id", "member", "commitment", "mediaType", "note", "height"]
        case .timerIndex: ["days"]
        case .timerDay: ["day", "hours"]
        case .timerHour: ["hour", "timers"]
        case .saltSeed: ["seed"]
        }
    }
}
