// @huggingface/transformers on one folder: reads {folder, texts, ids, prompts} from standard input,
// and writes {ids, decoded, skipped, greedy} to standard output.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, basename } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.CLIENTS_NODE + "/");
const path = require.resolve("@huggingface/transformers");
const { env, pipeline } = await import(pathToFileURL(path));
const { folder, texts, ids, prompts } = JSON.parse(readFileSync(0, "utf-8"));
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const generate = await pipeline("text-generation", basename(folder), { dtype: "fp32" });
const tokenizer = generate.tokenizer;
const greedy = {};
for (const prompt of prompts) {
  // Its pipeline's default is 256 new tokens, whatever generation_config.json says.
  const max_new_tokens = 48 - tokenizer.encode("</s>" + prompt).length;
  const [found] = await generate("</s>" + prompt, { max_new_tokens, do_sample: false });
  greedy[prompt] = found.generated_text;
}
console.log(
  JSON.stringify({
    ids: texts.map((text) => tokenizer.encode(text)),
    decoded: ids.map((each) => (each.length ? tokenizer.decode(each) : "")),
    skipped: tokenizer.decode([3, ...tokenizer.encode(" 글"), 3, 0], { skip_special_tokens: true }),
    greedy,
  }),
);
