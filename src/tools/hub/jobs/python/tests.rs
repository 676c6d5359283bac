//! Scripts as models write them, and as nobody should.

use super::*;

const TRAIN: &str = r#"
# /// script
# dependencies = ["trl>=0.12", "datasets"]
# ///
import os, json
from datasets import load_dataset
from transformers import AutoTokenizer, AutoModelForCausalLM
from trl import SFTTrainer, SFTConfig
try:
    import wandb
except ImportError:
    wandb = None

MODEL = "Qwen/Qwen3-0.6B"
OUT: str = "alice/qwen-sft"

def main():
    tokenizer = AutoTokenizer.from_pretrained("Qwen/Tokenizer")
    model = AutoModelForCausalLM.from_pretrained(MODEL)
    data = load_dataset("trl-lib/Capybara", split="train", revision="abc123")
    config = SFTConfig(output_dir="out", push_to_hub=True, hub_model_id=OUT, num_train_epochs=2,
                       per_device_train_batch_size=4, gradient_accumulation_steps=8, max_steps=-1)
    trainer = SFTTrainer(model=model, train_dataset=data, args=config)
    trainer.train()

main()
"#;

#[test]
fn a_training_script_tells_what_it_does() {
    let facts = read(TRAIN).unwrap();
    let modules: Vec<(&str, bool)> =
        facts.imports.iter().map(|import| (import.module.as_str(), import.optional)).collect();
    assert_eq!(
        modules,
        [
            ("os", false),
            ("json", false),
            ("datasets", false),
            ("transformers", false),
            ("trl", false),
            ("wandb", true)
        ]
    );
    assert_eq!(facts.own_dependencies, ["trl>=0.12", "datasets"]);
    assert!(facts.trains.is_some() && facts.pushes && facts.wants_gpu.is_none(), "{facts:?}");
    assert_eq!(facts.models, ["Qwen/Qwen3-0.6B", "Qwen/Tokenizer"]);
    assert_eq!(facts.output.as_deref(), Some("alice/qwen-sft"));
    assert_eq!((facts.epochs, facts.max_steps, facts.batch), (Some(2.0), None, Some(32)));
    assert_eq!(facts.datasets[0].revision.as_deref(), Some("abc123"));
}

#[test]
fn what_goes_to_the_hub_is_seen_in_many_forms() {
    for (line, output) in [
        ("model.push_to_hub('a/b')", Some("a/b")),
        ("HfApi().upload_folder(folder_path='x', repo_id='a/b')", Some("a/b")),
        ("upload_file(path_or_fileobj='x', path_in_repo='y', repo_id=NAME)", None),
        ("TrainingArguments(push_to_hub=True)", None),
        ("subprocess.run('hf upload a/b .', shell=True)", None),
    ] {
        let facts = read(&format!("{line}\n")).unwrap();
        assert!(facts.pushes, "{line}");
        assert_eq!(facts.output.as_deref(), output, "{line}");
    }
    for line in ["trainer.train()", "TrainingArguments(push_to_hub=False)", "model.save_pretrained('out')"] {
        assert!(!read(line).unwrap().pushes, "{line}");
    }
}

#[test]
fn a_script_that_needs_a_gpu_says_so_unless_it_looks_for_one() {
    for (script, wants) in [
        ("model.cuda()", true),
        ("x.to('cuda:0')", true),
        ("device = torch.device('cuda')", true),
        ("import vllm", true),
        ("AutoModel.from_pretrained('x', load_in_4bit=True)", true),
        ("d = 'cuda' if torch.cuda.is_available() else 'cpu'\nx.to('cuda')", false),
        ("x.to(device)", false),
        ("try:\n    import vllm\nexcept ImportError:\n    pass", false),
    ] {
        assert_eq!(read(script).unwrap().wants_gpu.is_some(), wants, "{script}");
    }
}

#[test]
fn a_name_with_two_values_is_unknown() {
    let script = "D = 'a/b'\nif x:\n    pass\nD = 'c/d'\nE = f()\nload_dataset(D)\nload_dataset(E)\nload_dataset('json')\n";
    assert_eq!(read(script).unwrap().datasets, []);
}

#[test]
fn an_error_names_its_place() {
    let Err(error) = read("import os\nprint('é', (1 +)\n") else { panic!("no error") };
    assert_eq!(
        error.to_string(),
        "syntax error in line 2, column 16: Expected an expression\n\n2 | print('é', (1 +)\n  |                ^"
    );
    for script in
        ["def f(:\n  pass", "if x\n  y", "print 'hello'", "x = = 1", "f(a for a in b, c)", "  x = 1"]
    {
        assert!(matches!(read(script), Err(Unreadable::Syntax { .. })), "{script}");
    }
}

#[test]
fn new_python_is_python() {
    for script in [
        "match x:\n    case {'a': [1, *rest]} if rest:\n        pass\n",
        "type Pair[T] = tuple[T, T]\ndef f[T](x: T) -> T: return x\n",
        "print(f\"{'a' + f'{1 + 1!r:>10}'}\")\n",
        "async def f():\n    async with a as b, c as d:\n        return [x async for x in y]\n",
        "try:\n    pass\nexcept* ValueError:\n    pass\n",
        "x = lambda *a, **k: (yield)\n",
        "",
        "# only a comment",
    ] {
        assert!(read(script).is_ok(), "{script}: {:?}", read(script));
    }
}

#[test]
fn what_is_made_to_be_deep_ends_nothing() {
    let deep = 100_000;
    for (what, script) in [
        ("brackets", "(".repeat(deep)),
        ("closed brackets", format!("{}1{}", "[".repeat(deep), "]".repeat(deep))),
        ("not", format!("x = {}1", "not ".repeat(deep))),
        ("minus", format!("x = {}1", "-".repeat(deep))),
        ("lambdas", format!("x = {}1", "lambda a, b: ".repeat(deep / 4))),
        ("attributes", format!("x{}", ".a".repeat(deep))),
        ("calls", format!("x{}", "()".repeat(deep))),
        ("sum", format!("x = 1{}", " + 1".repeat(deep))),
        ("powers", format!("x = 1{}", " ** 1".repeat(deep))),
        ("conditions", format!("x = {}1", "1 if 1 else ".repeat(deep / 4))),
        ("f-strings", format!("x = {}", "f'{".repeat(deep))),
        ("indents", (0..400).map(|n| format!("{}if x:\n", " ".repeat(n))).collect()),
        ("walrus", format!("x = {}1", "(a := ".repeat(deep / 4))),
        ("slices", format!("x[{}]", ":".repeat(deep))),
        ("dicts", format!("x = {}", "{1: ".repeat(deep))),
        ("annotations", format!("x{}", ": x".repeat(deep))),
        ("subjects", format!("match {}1:\n case 1: pass", "*".repeat(deep))),
    ] {
        let read = read(&script);
        assert!(
            matches!(read, Err(Unreadable::TooDeep { .. } | Unreadable::Syntax { .. })),
            "{what}: {read:?}"
        );
    }
}

#[test]
fn what_is_only_long_is_read() {
    let numbers = format!("x = [{}]\n", "-1.5, ".repeat(50_000));
    assert!(read(&numbers).is_ok());
    let lines = "x.y.z(a + b, c=d)\n".repeat(20_000);
    assert!(read(&lines).is_ok());
    let links = format!("x = {}1", "1 + ".repeat(2_900));
    assert!(read(&links).is_ok());
    assert_eq!(read(&" ".repeat(LARGEST + 1)), Err(Unreadable::TooLong { bytes: LARGEST + 1 }));
    assert_eq!(read("x = 1\0"), Err(Unreadable::Binary));
}
