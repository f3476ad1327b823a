"""What says in `phone_peers` whether a call is one that a description has: runs where openapi-core is installed.

    python phone_judge.py FILE-OF-THE-DESCRIPTION

A line of JSON in, { method, url, headers, body } and, once it is answered, { answer: { status, headers, body } }.
A line out, { wrong }: what does not fit, or null. What a description leaves open is taken as closed.
"""

import json
import sys
from pathlib import Path
from typing import Any

from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response


def judged(described: OpenAPI, told: dict[str, Any]) -> str | None:
    """Give what is wrong with a request, or with its answer where there is one."""
    method, body = told["method"], told["body"].encode()
    request = Request(EnvironBuilder(told["url"], method=method, headers=told["headers"], data=body).get_environ())
    answer = told.get("answer")
    if answer is not None:
        response = Response(answer["body"], answer["status"], answer["headers"])
        described.validate_response(WerkzeugOpenAPIRequest(request), WerkzeugOpenAPIResponse(response))
        return None
    read = described.unmarshal_request(WerkzeugOpenAPIRequest(request))
    read.raise_for_errors()
    # It reads what is described, and passes over the rest of an address, and a body where none is described.
    if unknown := set(request.args) - set(read.parameters.query):
        return f"not described in the query: {sorted(unknown)}"
    return "a body, and none is described" if body and read.body is None else None


def main() -> None:
    """Answer line by line."""
    config = Config(additional_properties_default_policy="forbid")
    described = OpenAPI.from_dict(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), config=config)
    for line in sys.stdin:
        try:
            wrong = judged(described, json.loads(line))
        except OpenAPIError as error:
            # Of a body, what is wrong with it, and not the whole of it.
            causes = [each.message for each in getattr(error.__cause__ or error, "schema_errors", ())]
            wrong = f"{type(error).__name__}: {'; '.join(causes) or error}"
        print(json.dumps({"wrong": wrong}), flush=True)


if __name__ == "__main__":
    main()
