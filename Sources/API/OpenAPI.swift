import Client
import Node

/// The API's description, made from the routes themselves; docs/openapi.json is a copy that a test compares.
enum OpenAPI {
    static func document(_ routes: [Route]) -> JSONValue {
        var paths: [JSONValue.JSONMember] = []
        for route in routes {
            let operation = JSONValue.JSONMember(
                route.method.rawValue.lowercased(), operation(route))
            if let index = paths.firstIndex(where: { $0.name == route.path }) {
                paths[index] = .init(route.path, paths[index].value.adding([operation]))
            } else {
                paths.append(.init(route.path, .object([operation])))
            }
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Huijin 汇津", "version": .text(NodeVersion.text),
                "description":
                    "HTTP API of a Huijin node. What matters comes as an evidence bundle (application/cbor) that a light client verifies with the genesis file alone. HEAD is answered as GET without the body. / 汇津节点接口，重要结果以证据包返回，凭创世文件即可离线核验。HEAD 的应答与 GET 相同，但不含正文。",
            ],
            "paths": .object(paths),
            "components": [
                "securitySchemes": [
                    "request": [
                        "type": "apiKey", "in": "header", "name": "Authorization",
                        "description":
                            "Huijin <base64url COSE_Sign1 over [method, path with query, time in ms], context huijin/request>; valid for 60 s. / 请求令牌，有效期 60 秒。",
                    ]
                ],
                "schemas": [
                    "Error": [
                        "type": "object", "required": ["error"],
                        "properties": [
                            "error": [
                                "type": "object", "required": ["code", "messageEn", "messageZh"],
                                "properties": [
                                    "code": ["type": "string"], "messageEn": ["type": "string"],
                                    "messageZh": ["type": "string"],
                                ],
                            ]
                        ],
                    ]
                ],
            ],
        ]
    }

    private static func operation(_ route: Route) -> JSONValue {
        var members: [JSONValue.JSONMember] = [
            .init("summary", .text("\(route.english) / \(route.chinese)"))
        ]
        if !route.parameters.isEmpty {
            members.append(.init("parameters", .list(route.parameters.map(parameter))))
        }
        if let body = route.body {
            members.append(
                .init("requestBody", ["required": .bool(true), "content": content([body])]))
        }
        members.append(
            .init(
                "responses",
                [
                    "200": ["description": "OK", "content": content(route.answers)],
                    "default": [
                        "description": "Error / 错误",
                        "content": [
                            "application/json": [
                                "schema": ["$ref": "#/components/schemas/Error"]
                            ]
                        ],
                    ],
                ]))
        if route.readsIdentity { members.append(.init("security", [[:], ["request": []]])) }
        return .object(members)
    }

    private static func parameter(_ parameter: Route.Parameter) -> JSONValue {
        var schema: [JSONValue.JSONMember] = [.init("type", .text(parameter.type))]
        if let maximum = parameter.maximum {
            schema += [.init("minimum", .unsigned(0)), .init("maximum", .unsigned(maximum))]
        }
        if let standard = parameter.standard {
            schema.append(.init("default", .unsigned(standard)))
        }
        return [
            "name": .text(parameter.name), "in": .text(parameter.place.rawValue),
            "required": .bool(parameter.isRequired),
            "description": .text("\(parameter.english) / \(parameter.chinese)"),
            "schema": .object(schema),
        ]
    }

    private static func content(_ types: [String]) -> JSONValue {
        .object(
            types.map { type in
                let schema: JSONValue =
                    type == Route.cbor || type == Route.octets
                    ? ["type": "string", "format": "binary"]
                    : ["type": .text(type == Route.json ? "object" : "string")]
                return .init(type, ["schema": schema])
            })
    }
}
