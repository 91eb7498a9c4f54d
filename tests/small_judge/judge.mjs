// A real, very small language model (SmolLM2, 135 million parameters) behind the wire of Bedrock
// Converse, on 127.0.0.1. It understands little of a rubric: it is here to prove that real replies
// which break the form are counted and never become scores. Usage: node judge.mjs MODEL.gguf
import {createServer} from "node:http";
import {getLlama, LlamaChatSession} from "node-llama-cpp";

// "never": no compiler and no download, whatever is missing.
const llama = await getLlama({gpu: false, build: "never"});
const model = await llama.loadModel({modelPath: process.argv[2]});
// Left alone it starts four threads; on two cores, these wait for each other a hundred times as long.
const context = await model.createContext({contextSize: 8192, threads: llama.cpuMathCores});

async function converse(request) {
    const texts = (blocks) => (blocks ?? []).map((block) => block.text ?? "").join("\n");
    const sequence = context.getSequence();
    try {
        const session = new LlamaChatSession({contextSequence: sequence, systemPrompt: texts(request.system)});
        const question = texts(request.messages[0].content);
        const schema = request.outputConfig?.textFormat?.structure?.jsonSchema?.schema;
        const prompt = `${question}\n\nReply with JSON of this schema only: ${schema ?? ""}`;
        const text = await session.prompt(prompt, {temperature: 0, maxTokens: 200});
        const [inputTokens, outputTokens] = [prompt, text].map((part) => model.tokenize(part).length);
        return {
            output: {message: {role: "assistant", content: [{text}]}},
            stopReason: outputTokens >= 200 ? "max_tokens" : "end_turn",
            usage: {inputTokens, outputTokens, totalTokens: inputTokens + outputTokens},
            metrics: {latencyMs: 1},
        };
    } finally {
        sequence.dispose();
    }
}

// One at a time: the model has one context.
let last = Promise.resolve();
const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
        last = last.then(async () => {
            try {
                const body = JSON.stringify(await converse(JSON.parse(Buffer.concat(chunks).toString())));
                response.writeHead(200, {"content-type": "application/json"}).end(body);
            } catch (error) {
                response.writeHead(500, {"content-type": "application/json"}).end(JSON.stringify({message: error.name}));
            }
        });
    });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
// The parent's end is ours.
process.stdin.on("end", () => process.exit()).resume();
