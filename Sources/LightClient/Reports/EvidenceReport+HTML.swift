extension EvidenceReport {
    /// The same lines as one page that needs nothing else: no scripts, no pictures, no addresses. It prints on A4.
    /// Everything that was recorded is escaped.
    public var html: String {
        var page = Self.head
        var rest = lines[...]
        if let verdict = rest.popFirst() {
            let kind = isProven ? "proven" : "refused"
            page += "<h1 class=\"\(kind)\">\(verdict.html)</h1>\n"
        }
        while let title = rest.popFirst() {
            let inside = rest.prefix { $0.level > title.level }
            rest = rest.dropFirst(inside.count)
            page += "<section class=\"\(title.isClaim ? "claimed" : "shown")\">"
            page += "<h2>\(title.html)</h2>\n\(Self.list(inside))</section>\n"
        }
        return page + "</body>\n</html>\n"
    }

    /// Lines as nested lists by their levels.
    private static func list(_ lines: ArraySlice<Line>) -> String {
        guard let first = lines.first else { return "" }
        var text = "<ul>\n"
        var rest = lines
        while let line = rest.popFirst() {
            let inside = rest.prefix { $0.level > first.level }
            rest = rest.dropFirst(inside.count)
            text += "<li>\(line.html)\(list(inside))</li>\n"
        }
        return text + "</ul>\n"
    }

    private static let head = """
        <!DOCTYPE html>
        <html lang="zh-CN">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>汇津证据核验报告 / Huijin evidence report</title>
        <style>
        @page { size: A4; margin: 18mm 15mm; }
        body { font: 10.5pt/1.5 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", sans-serif;
          color: #111; max-width: 180mm; margin: 0 auto; padding: 4mm; }
        h1 { font-size: 16pt; padding: 3mm; border: 1mm solid; }
        h1.proven { border-color: #17693b; color: #17693b; }
        h1.refused { border-color: #a11; color: #a11; }
        h2 { font-size: 11.5pt; margin: 4mm 0 1mm; break-after: avoid; }
        ul { margin: 0; padding-left: 6mm; }
        li { break-inside: avoid-page; }
        li:has(ul) { break-inside: auto; }
        code { font: 9pt monospace; overflow-wrap: anywhere; }
        [lang=en] { color: #444; }
        section.claimed { border-left: 1mm solid #b60; padding-left: 3mm; }
        @media print { body { padding: 0; } }
        </style>
        </head>
        <body>

        """
}

extension EvidenceReport.Line {
    fileprivate var html: String {
        var parts = ["<span>\(chinese.escapedForHTML)</span>"]
        if english != chinese { parts.append("<span lang=\"en\">\(english.escapedForHTML)</span>") }
        if let value { parts.append("<code>\(value.escapedForHTML)</code>") }
        return parts.joined(separator: " ")
    }
}

extension String {
    /// As text and as a quoted attribute.
    fileprivate var escapedForHTML: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
