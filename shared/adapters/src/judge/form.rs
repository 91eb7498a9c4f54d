//! How a verdict is asked for, from the strictest form down to what every model understands.
//!
//! Which models take `outputConfig`, a strict tool, a temperature or a cache point changes with
//! every release, and a list of them would always be behind. So the first request asks for
//! everything, and a validation error that names a part takes that part away, for as long as the
//! process lives. Other validation errors are the sample's own.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_sdk_bedrockruntime::config::http::HttpResponse;
use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::operation::converse::builders::ConverseFluentBuilder;
use aws_sdk_bedrockruntime::operation::converse::{ConverseError, ConverseOutput};
use aws_sdk_bedrockruntime::types::{
    CachePointBlock, CachePointType, ContentBlock, ConversationRole, InferenceConfiguration,
    JsonSchemaDefinition, Message, OutputConfig, OutputFormat, OutputFormatStructure, OutputFormatType,
    SpecificToolChoice, SystemContentBlock, Tool, ToolChoice, ToolConfiguration, ToolInputSchema,
    ToolSpecification,
};

use super::{Brief, verbatim};

const TOOL: &str = "record_verdict";

/// How the shape of the verdict is enforced, strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    OutputSchema,
    StrictTool,
    Tool,
    Text,
}

/// One way to write the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    shape: Shape,
    has_temperature: bool,
    has_cache_point: bool,
}

/// The form in use, simplified as the model refuses parts of it.
#[derive(Debug)]
pub(super) struct Forms(Mutex<Form>);

impl Default for Forms {
    fn default() -> Self {
        Self(Mutex::new(Form { shape: Shape::OutputSchema, has_temperature: true, has_cache_point: true }))
    }
}

impl Forms {
    pub(super) fn current(&self) -> Form {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes away the part of `tried` that the validation error `message` names. `false` when it
    /// names none; `true` also when another call has already simplified the form.
    pub(super) fn simplify(&self, tried: Form, message: &str) -> bool {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != tried {
            return true;
        }
        let Some(simpler) = tried.without(message) else { return false };
        *current = simpler;
        true
    }
}

impl Form {
    fn without(self, message: &str) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if self.has_temperature && names(&["temperature"]) {
            return Some(Self { has_temperature: false, ..self });
        }
        if self.has_cache_point && names(&["cachepoint", "cache point", "cache_control", "caching"]) {
            return Some(Self { has_cache_point: false, ..self });
        }
        let shape = match self.shape {
            Shape::OutputSchema
                if names(&[
                    "outputconfig",
                    "output_config",
                    "output_format",
                    "textformat",
                    "structured output",
                    "schema",
                ]) =>
            {
                Shape::StrictTool
            }
            Shape::StrictTool if names(&["strict", "schema"]) => Shape::Tool,
            Shape::StrictTool | Shape::Tool if names(&["tool"]) => Shape::Text,
            _ => return None,
        };
        Some(Self { shape, ..self })
    }

    /// Sends the request. Everything up to the sample is the same for each sample, so that the
    /// cache point covers it.
    pub(super) async fn send(
        self,
        request: ConverseFluentBuilder,
        brief: &Brief,
        sample: &str,
    ) -> Result<ConverseOutput, SdkError<ConverseError, HttpResponse>> {
        let mut system = brief.system.clone();
        if self.shape == Shape::Text {
            system.push_str("\n\n");
            system.push_str(&brief.instruction);
        }
        let cache_point = CachePointBlock::builder().r#type(CachePointType::Default).build().ok();
        let cache_point = cache_point.filter(|_| self.has_cache_point).map(SystemContentBlock::CachePoint);
        let mut blocks = vec![SystemContentBlock::Text(system)];
        blocks.extend(cache_point);
        let message =
            Message::builder().role(ConversationRole::User).content(ContentBlock::Text(sample.to_owned()));
        let limits = InferenceConfiguration::builder()
            .max_tokens(i32::try_from(brief.max_tokens).unwrap_or(i32::MAX))
            .set_temperature(self.has_temperature.then_some(0.0))
            .build();
        let request = request
            .set_system(Some(blocks))
            .set_messages(message.build().ok().map(|message| vec![message]))
            .inference_config(limits)
            .set_output_config(self.output_config(brief))
            .set_tool_config(self.tool_config());
        match self.shape {
            Shape::OutputSchema | Shape::Text => request.send().await,
            Shape::StrictTool | Shape::Tool => {
                let schema = brief.schema.clone();
                request.customize().mutate_request(move |http| verbatim::fill(http, &schema)).send().await
            }
        }
    }

    fn output_config(self, brief: &Brief) -> Option<OutputConfig> {
        if self.shape != Shape::OutputSchema {
            return None;
        }
        let schema = JsonSchemaDefinition::builder().name(TOOL).schema(&brief.schema).build().ok()?;
        let format = OutputFormat::builder()
            .r#type(OutputFormatType::JsonSchema)
            .structure(OutputFormatStructure::JsonSchema(schema))
            .build()
            .ok()?;
        Some(OutputConfig::builder().text_format(format).build())
    }

    fn tool_config(self) -> Option<ToolConfiguration> {
        if !matches!(self.shape, Shape::StrictTool | Shape::Tool) {
            return None;
        }
        let tool = ToolSpecification::builder()
            .name(TOOL)
            .description("Records the verdict on the sample.")
            .input_schema(ToolInputSchema::Json(verbatim::slot()))
            .set_strict((self.shape == Shape::StrictTool).then_some(true))
            .build()
            .ok()?;
        let choice = SpecificToolChoice::builder().name(TOOL).build().ok()?;
        ToolConfiguration::builder()
            .tools(Tool::ToolSpec(tool))
            .tool_choice(ToolChoice::Tool(choice))
            .build()
            .ok()
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match self.shape {
            Shape::OutputSchema => "output schema",
            Shape::StrictTool => "strict tool",
            Shape::Tool => "tool",
            Shape::Text => "JSON in text",
        };
        let temperature = if self.has_temperature { "temperature 0" } else { "no temperature" };
        let cache = if self.has_cache_point { "cache point" } else { "no cache point" };
        write!(f, "{shape}, {temperature}, {cache}")
    }
}
