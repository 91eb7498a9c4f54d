"""What `make bench` compares the reading of records with: the same questions, asked in Python as
one would write it. Prints the processor seconds it took.

    python baseline.py captures.jsonl
"""

import hashlib
import json
import re
import sys
import time
from collections import Counter

REFUSALS = re.compile(
    r"\b(i(?:'m| am) (?:sorry|unable)|i (?:can(?:not|'t)|won't) (?:help|assist|provide|do)|"
    r"as an ai|i must decline|not able to (?:help|assist))",
    re.IGNORECASE,
)
SECRETS = re.compile(
    r"\b(AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}|sk-[A-Za-z0-9]{20,}|xox[abp]-[A-Za-z0-9-]{10,})|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
PERSONAL = [
    re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"),
    re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    re.compile(r"\b(?:\d[ -]?){13,19}\b"),
    re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
    re.compile(r"\+\d{1,3}[ -]?\(?\d{2,4}\)?[ -]?\d{3,4}[ -]?\d{3,4}\b"),
]
COMPONENT = re.compile(r"\bic=([\w-]+)")


def exchange(request, reply):
    """Turns, answer, finish reason and token counts of the two payload forms."""
    if "messages" in request:
        turns = [(message["role"], message["content"]) for message in request["messages"]]
        choice = reply["choices"][0]
        return turns, choice["message"]["content"], choice["finish_reason"], reply.get("usage", {})
    return [("user", request["inputs"])], reply["generated_text"], None, {}


def ends_in_loop(answer):
    return any(answer.endswith(answer[-length:] * 4) for length in range(8, 80))


def findings(turns, answer, finish):
    if not answer.strip():
        return ["empty"]
    found = []
    if finish == "length":
        found.append("truncated")
    if REFUSALS.search(answer[:300]):
        found.append("refusal")
    if ends_in_loop(answer):
        found.append("repetition")
    asked = "\n".join(text for _, text in turns)
    if any(match.group() not in asked for match in SECRETS.finditer(answer)):
        found.append("secret")
    if any(match.group() not in asked for form in PERSONAL for match in form.finditer(answer)):
        found.append("personal_data")
    system = "\n".join(text for role, text in turns if role == "system").lower().split()
    if system:
        words = answer.lower().split()
        passages = {tuple(system[i : i + 12]) for i in range(len(system) - 11)}
        if any(tuple(words[i : i + 12]) in passages for i in range(len(words) - 11)):
            found.append("prompt_leak")
    return found


def main(path):
    counts = Counter()
    with open(path, "rb") as lines:
        for line in lines:
            record = json.loads(line)
            request = json.loads(record["captureData"]["endpointInput"]["data"])
            reply = json.loads(record["captureData"]["endpointOutput"]["data"])
            turns, answer, finish, usage = exchange(request, reply)
            metadata = record["eventMetadata"]
            component = COMPONENT.search(metadata["customAttributes"][0]).group(1)
            minute = metadata["inferenceTime"][:16]
            for found in findings(turns, answer, finish):
                counts[component, minute, found] += 1
            for name in ("prompt_tokens", "completion_tokens"):
                counts[component, minute, name, usage.get(name)] += 1
            digest = hashlib.sha256(b"assay-sample-v1\0" + metadata["eventId"].encode()).digest()
            if int.from_bytes(digest[:8], "big") / 2**64 < 0.1:
                counts[component, minute, "selected"] += 1
    return counts


if __name__ == "__main__":
    started = time.process_time()
    main(sys.argv[1])
    print(time.process_time() - started)
