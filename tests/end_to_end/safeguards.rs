//! What an operator relies on in `template.yaml`: nothing is lost in silence, nothing is open,
//! nothing is kept or deleted that was not asked for.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tests::project;
use tests::template::Template;

fn template() -> Template {
    Template::load().unwrap()
}

/// A rule of the policy scanner is switched off for a reason that a reader can weigh.
#[test]
fn every_rule_that_is_not_kept_has_its_reason() {
    let settings = fs::read_to_string(project::root().join(".checkov.yaml")).unwrap();
    let lines: Vec<&str> = settings.lines().collect();
    let rules = lines.windows(2).filter(|pair| pair[1].starts_with("  - CKV"));
    let has_reason = |pair: &&[&str]| pair[0].starts_with("  # ") && pair[0].len() > 20;
    assert!(
        rules.clone().count() > 0 && rules.clone().all(|pair| has_reason(&pair)),
        "{:?}",
        rules.collect::<Vec<_>>()
    );
}

/// The statements of all policies of a type, each with the policy's logical id.
fn statements<'a>(template: &'a Template, kind: &str) -> Vec<(&'a String, &'a Value)> {
    let policies = template.resources(kind).into_iter();
    let each = policies.flat_map(|(id, policy)| {
        let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap();
        statements.iter().map(move |one| (id, one.get("Fn::If").map_or(one, |branches| &branches[1])))
    });
    each.collect()
}

/// What a property is with a key of the operator's own, and without.
fn with_and_without_key(value: &Value) -> (&Value, &Value) {
    let branches = &value["Fn::If"];
    assert_eq!(branches[0], "HasKmsKey", "{value}");
    (&branches[1], &branches[2])
}

#[test]
fn every_parameter_has_a_default_and_stands_in_one_group_and_what_must_be_asked_comes_first() {
    let template = template();
    let names: Vec<&String> = template.section("Parameters").map(|(name, _)| name).collect();
    let interface = &template.all()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let grouped: Vec<&str> = interface
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["Parameters"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    let once: BTreeSet<&str> = grouped.iter().copied().collect();
    assert_eq!(once.len(), grouped.len(), "a parameter stands in two groups");
    assert_eq!(once, names.iter().map(|name| name.as_str()).collect(), "left: groups, right: parameters");
    for (name, parameter) in template.section("Parameters") {
        assert!(parameter.get("Default").is_some(), "{name} has no default");
    }
    let asked = ["CaptureBucketName", "OperatorsEmail"];
    assert_eq!(grouped[..2], asked, "the first group");
    // `sam deploy --guided` asks in the order of the file; `make deploy` asks for these alone.
    let text = fs::read_to_string(project::root().join("template.yaml")).unwrap();
    let makefile = fs::read_to_string(project::root().join("Makefile")).unwrap();
    let places: Vec<usize> = names.iter().map(|name| text.find(&format!("\n  {name}:\n")).unwrap()).collect();
    for name in asked {
        let place = text.find(&format!("\n  {name}:\n")).unwrap();
        assert!(places.iter().filter(|other| **other < place).count() < asked.len(), "{name} comes late");
        assert!(makefile.contains(name), "make deploy does not ask for {name}");
    }
}

#[test]
fn every_queue_has_dead_letters_that_an_alarm_watches_or_is_one() {
    let template = template();
    let queues = template.resources("AWS::SQS::Queue");
    let target =
        |queue: &Value| queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].clone();
    let dead: BTreeSet<String> =
        queues.iter().filter_map(|(_, queue)| target(queue).as_str().map(str::to_owned)).collect();
    for (id, queue) in &queues {
        assert_ne!(
            target(queue).is_null(),
            !dead.contains(*id),
            "{id} neither has dead letters nor holds some"
        );
    }
    assert_eq!(queues.len(), 2 * dead.len());
}

/// What says how many seconds an event may wait for a function, and how many. Of the function without a
/// version, which is what a custom resource calls.
fn longest_wait<'a>(template: &'a Template, function_id: &str) -> (&'a String, i64) {
    let limits = template.resources("AWS::Lambda::EventInvokeConfig").into_iter();
    let mut limits = limits.map(|(id, limit)| (id, &limit["Properties"]));
    let of_function = limits
        .find(|(_, limit)| limit["FunctionName"]["Ref"] == *function_id && limit["Qualifier"] == "$LATEST");
    let (id, limit) = of_function.unwrap();
    (id, limit["MaximumEventAgeInSeconds"].as_i64().unwrap())
}

#[test]
fn whatever_is_sent_asynchronously_has_a_place_to_fail_to() {
    let template = template();
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let function = &function["Properties"];
        let mut is_asynchronous = false;
        for (name, event) in function["Events"].as_object().into_iter().flatten() {
            let properties = &event["Properties"];
            let dead_letters = match event["Type"].as_str().unwrap() {
                "SNS" => &properties["RedrivePolicy"]["deadLetterTargetArn"],
                "Schedule" => &properties["DeadLetterConfig"]["Arn"],
                // The queue itself redrives.
                "SQS" => continue,
                other => panic!("{id} {name}: what becomes of a {other} event that fails?"),
            };
            is_asynchronous = true;
            assert!(dead_letters["Fn::GetAtt"].is_array(), "{id} {name} has no dead letters");
        }
        // CloudFormation sends asynchronously, too. It gives up by itself, and fails the deployment; what it
        // asked for must not be done later.
        for (name, resource) in template.section("Resources") {
            let (before, resource) = (&resource["DependsOn"], &resource["Properties"]);
            if resource["ServiceToken"]["Fn::GetAtt"][0] == **id {
                let patience = resource["ServiceTimeout"].as_i64().unwrap();
                let (limit, wait) = longest_wait(&template, id);
                let latest = wait + function["Timeout"].as_i64().unwrap();
                assert!(latest <= patience, "{id} may work when {name} has given up");
                assert!(before.as_array().unwrap().contains(&json!(limit)), "{name} is sent before {limit}");
            }
        }
        let on_failure = &function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
        assert!(
            !is_asynchronous || on_failure["Fn::GetAtt"].is_array(),
            "{id} has no on-failure destination"
        );
    }
    for (id, rule) in template.resources("AWS::Events::Rule") {
        for target in rule["Properties"]["Targets"].as_array().unwrap() {
            assert!(target["DeadLetterConfig"]["Arn"].is_object(), "{id} has no dead letters");
        }
    }
}

#[test]
fn everything_at_rest_is_encrypted_and_takes_a_key_of_the_operators_own() {
    let template = template();
    let key = json!({"Ref": "KmsKeyArn"});
    let none = json!({"Ref": "AWS::NoValue"});
    for (id, queue) in template.resources("AWS::SQS::Queue") {
        let properties = &queue["Properties"];
        assert_eq!(with_and_without_key(&properties["KmsMasterKeyId"]), (&key, &none), "{id}");
        assert_eq!(
            with_and_without_key(&properties["SqsManagedSseEnabled"]),
            (&json!(false), &json!(true)),
            "{id}"
        );
    }
    for (id, topic) in template.resources("AWS::SNS::Topic") {
        assert_eq!(with_and_without_key(&topic["Properties"]["KmsMasterKeyId"]), (&key, &none), "{id}");
    }
    for (id, logs) in template.resources("AWS::Logs::LogGroup") {
        assert_eq!(with_and_without_key(&logs["Properties"]["KmsKeyId"]), (&key, &none), "{id}");
    }
    for (id, table) in template.resources("AWS::DynamoDB::Table") {
        let encryption = &table["Properties"]["SSESpecification"];
        assert_eq!(encryption["SSEEnabled"], true, "{id}");
        assert_eq!(with_and_without_key(&encryption["KMSMasterKeyId"]), (&key, &none), "{id}");
    }
    for (id, bucket) in template.resources("AWS::S3::Bucket") {
        let rules = &bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"];
        let rule = &rules[0]["ServerSideEncryptionByDefault"];
        assert_eq!(
            with_and_without_key(&rule["SSEAlgorithm"]),
            (&json!("aws:kms"), &json!("AES256")),
            "{id}"
        );
        assert_eq!(with_and_without_key(&rule["KMSMasterKeyID"]), (&key, &none), "{id}");
    }
}

#[test]
fn queues_and_topics_refuse_what_is_not_encrypted_on_its_way() {
    let template = template();
    for (kind, policies, list) in [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ] {
        let mut guarded = BTreeSet::new();
        for (id, policy) in template.resources(policies) {
            let properties = &policy["Properties"];
            let statements = properties["PolicyDocument"]["Statement"].as_array().unwrap();
            let is_guard = |one: &Value| {
                one["Effect"] == "Deny"
                    && one["Condition"]["Bool"]["aws:SecureTransport"] == false
                    && one["Principal"] == "*"
            };
            assert!(statements.iter().any(is_guard), "{id}");
            let names = properties[list].as_array().unwrap().iter();
            for name in names.map(|one| one["Ref"].as_str().unwrap()) {
                // A second policy would replace the first.
                assert!(guarded.insert(name.to_owned()), "{name} has two policies");
            }
        }
        let all: BTreeSet<String> = template.resources(kind).into_iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(guarded, all, "left: with a policy, right: all of {kind}");
    }
}

#[test]
fn only_named_services_of_this_account_may_send_and_publish() {
    let template = template();
    let mut services = BTreeSet::new();
    for kind in ["AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"] {
        for (id, statement) in statements(&template, kind) {
            if statement["Effect"] == "Deny" {
                continue;
            }
            let conditions = &statement["Condition"];
            match statement["Principal"]["Service"].as_str() {
                Some(service) => {
                    services.insert(service.to_owned());
                    let is_one_source = conditions["ArnEquals"]["aws:SourceArn"].is_object();
                    let is_this_account = conditions["StringEquals"]["aws:SourceAccount"]["Ref"]
                        == "AWS::AccountId"
                        && conditions["ArnLike"]["aws:SourceArn"].is_object();
                    assert!(is_one_source || is_this_account, "{id} lets {service} of any account in");
                }
                None => assert_eq!(statement["Principal"]["AWS"]["Ref"], "AlertPublisherArns", "{id}"),
            }
        }
    }
    let expected =
        ["aps.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"];
    assert_eq!(services, expected.map(str::to_owned).into());
}

#[test]
fn deleting_the_stack_keeps_captures_and_verdicts_and_nothing_else_that_costs_money() {
    let template = template();
    for (id, resource) in template.section("Resources") {
        let kind = resource["Type"].as_str().unwrap();
        // With a bucket its policy stays, so that it goes on refusing plain HTTP.
        let is_kept = ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"].contains(&kind);
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            let retains = resource[policy] == "Retain" || resource[policy] == "RetainExceptOnCreate";
            assert_eq!(retains, is_kept, "{id}: {policy}");
        }
        if kind == "AWS::S3::Bucket" {
            // What is kept ends by itself.
            let rule = &resource["Properties"]["LifecycleConfiguration"]["Rules"][0];
            assert!(rule["ExpirationInDays"]["Ref"].is_string() && rule["Status"] == "Enabled", "{id}");
        }
        if kind == "AWS::Logs::LogGroup" {
            assert_eq!(resource["Properties"]["RetentionInDays"]["Ref"], "LogRetentionDays", "{id}");
        }
    }
}

#[test]
fn every_function_logs_into_a_group_of_the_stack() {
    let template = template();
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let group = function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        assert_eq!(template.resource(group)["Type"], "AWS::Logs::LogGroup", "{id}");
    }
    let settings = fs::read_to_string(project::root().join("samconfig.toml")).unwrap();
    assert!(settings.lines().any(|line| line.starts_with("tags = \"")), "what is deployed carries no tag");
    // A stack in what a macro such as SAM's makes of a template asks for the second.
    let acknowledged = "capabilities = \"CAPABILITY_IAM CAPABILITY_AUTO_EXPAND\"";
    assert!(settings.lines().any(|line| line == acknowledged), "CloudFormation refuses what sam deploys");
}

/// The statements of a role, those on a condition too.
fn of_role(role: &Value) -> impl Iterator<Item = &Value> {
    let policies = role["Policies"].as_array().into_iter().flatten();
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    statements.map(|one| one.get("Fn::If").map_or(one, |branches| &branches[1]))
}

/// The resources on which a role allows an action, as the template writes them.
fn allowed(role: &Value, action: &str) -> BTreeSet<String> {
    let with_action = of_role(role).filter(|one| match &one["Action"] {
        Value::Array(actions) => actions.iter().any(|one| one == action),
        one => one == action,
    });
    let resources = with_action.flat_map(|one| match &one["Resource"] {
        Value::Array(resources) => resources.iter().collect(),
        resource => vec![resource],
    });
    resources.map(Value::to_string).collect()
}

/// A key of the operator's own keeps out whoever may read what it encrypts and may not decrypt it.
#[test]
fn whoever_reads_settings_and_secrets_can_be_given_their_keys() {
    let template = template();
    let by_parameter = |name: &str| json!({"Ref": name}).to_string();
    for (id, _) in template.resources("AWS::Serverless::Function") {
        let role = &template.resource(&format!("{id}Role"))["Properties"];
        let keys = allowed(role, "kms:Decrypt");
        assert!(allowed(role, "s3:GetObject").contains(&by_parameter("ConfigArn")), "{id}");
        assert!(keys.contains(&by_parameter("ConfigKmsKeyArn")), "{id} cannot decrypt its settings");
        let of_secrets = ["AlertsSecretKmsKeyArn", "GrafanaTokenKmsKeyArn"];
        assert!(
            allowed(role, "secretsmanager:GetSecretValue").is_empty()
                || of_secrets.iter().any(|name| keys.contains(&by_parameter(name))),
            "{id} cannot decrypt its secrets"
        );
    }
}

/// The operator's keys encrypt more than what Assay reads: no role may ask KMS itself to decrypt it.
#[test]
fn every_key_is_used_by_way_of_a_service_only() {
    let template = template();
    let mut found = 0;
    for (id, role) in template.resources("AWS::IAM::Role") {
        for one in of_role(&role["Properties"]) {
            if one["Action"].to_string().contains("\"kms:") {
                found += 1;
                let services = &one["Condition"]["StringEquals"]["kms:ViaService"];
                assert!(services.is_array() || services["Fn::Sub"].is_string(), "{id}: {one}");
            }
        }
    }
    assert!(found >= 10, "only {found} statements were found: did the template change its form?");
}

/// What Lambda does with a role is refused by no emulator: it writes the log, takes messages, keeps what failed.
#[test]
fn each_function_has_a_role_of_its_own_that_reaches_its_queues_and_its_log_and_no_others() {
    let template = template();
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let function = &function["Properties"];
        // The id that SAM gave it: an update from 0.1.0 changes the role, and makes no second one.
        let role_id = format!("{id}Role");
        assert_eq!(function["Role"], json!({"Fn::GetAtt": [role_id, "Arn"]}), "{id}");
        assert!(function["Policies"].is_null(), "SAM leaves out the policies of {id}, which has a role");
        let role = &template.resource(&role_id)["Properties"];
        assert!(role["ManagedPolicyArns"].is_null(), "{role_id} has what AWS writes for whole accounts");
        assert!(role["RoleName"].is_null(), "{role_id}: a name would ask for CAPABILITY_NAMED_IAM");
        let trusted = role["AssumeRolePolicyDocument"]["Statement"].as_array().unwrap();
        assert_eq!(trusted.len(), 1, "{role_id}");
        assert_eq!(trusted[0]["Principal"], json!({"Service": "lambda.amazonaws.com"}), "{role_id}");

        let events = function["Events"].as_object().into_iter().flatten().map(|(_, event)| event);
        let queues = events.filter(|event| event["Type"] == "SQS");
        let queues: BTreeSet<String> = queues.map(|event| event["Properties"]["Queue"].to_string()).collect();
        for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
            assert_eq!(allowed(role, action), queues, "{role_id}: {action}");
        }
        let log = json!({"Fn::GetAtt": [function["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]});
        for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
            assert_eq!(allowed(role, action), BTreeSet::from([log.to_string()]), "{role_id}: {action}");
        }
        let on_failure = &function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
        assert!(
            on_failure.is_null() || allowed(role, "sqs:SendMessage").contains(&on_failure.to_string()),
            "{role_id} may not send to the on-failure destination"
        );
    }
}
