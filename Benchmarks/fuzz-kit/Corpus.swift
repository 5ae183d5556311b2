import Encoding
import Foundation

/// The inputs that fuzzing starts from: valid ones, a few for each target, and any that once did harm. One line each: the names of
/// the targets that take it, with commas between them, and the bytes in hexadecimal.
package struct Corpus {
    private var inputs: [String: [[UInt8]]] = [:]

    package struct Damaged: Error, CustomStringConvertible {
        package let description: String
    }

    package init() {}

    package init(file: String) throws {
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard words.count == 2, let bytes = Hex.decode(String(words[1])) else {
                throw Damaged(description: "\(file): \(line.prefix(60)) / 语料文件行格式有误")
            }
            for name in words[0].split(separator: ",") { add(String(name), bytes) }
        }
    }

    package subscript(_ target: FuzzTarget) -> [[UInt8]] { inputs[target.name] ?? [] }

    package mutating func add(_ name: String, _ bytes: [UInt8]) {
        inputs[name, default: []].append(bytes)
    }

    package func write(to file: String, for targets: [FuzzTarget]) throws {
        var text = "# targets, input: huijin-fuzz corpus writes it, make fuzz reads it\n"
        var names: [[UInt8]: [String]] = [:]
        var order: [[UInt8]] = []
        for target in targets {
            for input in self[target] {
                if names[input] == nil { order.append(input) }
                names[input, default: []].append(target.name)
            }
        }
        for input in order {
            text += "\((names[input] ?? []).joined(separator: ",")) \(Hex.encode(input))\n"
        }
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
}
