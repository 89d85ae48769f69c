import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.gclient.ICreateTyped;
import ca.uhn.fhir.rest.gclient.ICreateWithQueryTyped;
import ca.uhn.fhir.rest.gclient.ICriterion;
import ca.uhn.fhir.rest.gclient.IUpdateExecutable;
import ca.uhn.fhir.rest.gclient.IUpdateTyped;
import ca.uhn.fhir.rest.gclient.TokenClientParam;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;

/**
 * HAPI's generic client as a filter: a request a line in, an answer a line out, as JSON, until the input ends.
 *
 * <p>A request is {"base", "encoding", "do", "resource"}; "encoding" is json, xml or empty; "do" is create,
 * update, transaction or capabilities. "identifier" (system|value) and "url" are conditions, "id" is for
 * withId, "prefer" a PreferReturnEnum (of a transaction the word of the header). Each base and encoding has a
 * client of its own, which asks for the CapabilityStatement before its first request, as HAPI does where
 * nothing else is said (ServerValidationModeEnum.ONCE). What the library throws is {"error"}, with "status"
 * and "outcome" where there are any.
 */
public final class HapiClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final FhirContext R4 = FhirContext.forR4();
    private static final IParser PARSER = R4.newJsonParser();

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // whatever a library prints is no answer
        Map<String, IGenericClient> clients = new HashMap<>();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            JsonNode request = JSON.readTree(line);
            String base = request.path("base").asText();
            String encoding = request.path("encoding").asText();
            IGenericClient client = clients.computeIfAbsent(encoding + base, key -> client(base, encoding));
            answers.println(JSON.writeValueAsString(answer(client, request)));
        }
    }

    /** A client as the page «Generic (Fluent) Client» of HAPI's manual makes it. */
    private static IGenericClient client(String base, String encoding) {
        IGenericClient client = R4.newRestfulGenericClient(base);
        if (!encoding.isEmpty()) {
            client.setEncoding(EncodingEnum.forContentType(encoding));
        }
        return client;
    }

    private static Map<String, Object> answer(IGenericClient client, JsonNode request) {
        try {
            return switch (request.path("do").asText()) {
                case "create" -> told(create(client, request));
                case "update" -> told(update(client, request));
                case "transaction" -> Map.of("resource", encoded(transaction(client, request)));
                case "capabilities" -> Map.of(
                    "resource", encoded(client.capabilities().ofType(CapabilityStatement.class).execute()));
                default -> throw new IllegalArgumentException("do");
            };
        } catch (BaseServerResponseException refused) {
            Map<String, Object> answer = new HashMap<>();
            answer.put("error", refused.getClass().getSimpleName() + ": " + refused.getMessage());
            answer.put("status", refused.getStatusCode());
            answer.put("outcome", encoded(refused.getOperationOutcome()));
            return answer;
        } catch (RuntimeException broken) {
            return Map.of("error", broken.toString());
        }
    }

    private static MethodOutcome create(IGenericClient client, JsonNode request) {
        ICreateTyped typed = client.create().resource(resource(request));
        PreferReturnEnum prefer = prefer(request);
        if (request.has("identifier")) {
            ICreateWithQueryTyped asked = typed.conditional().where(identifier(request));
            return (prefer == null ? asked : asked.prefer(prefer)).execute();
        }
        if (request.has("url")) {
            typed = typed.conditionalByUrl(request.path("url").asText());
        }
        return (prefer == null ? typed : typed.prefer(prefer)).execute();
    }

    private static MethodOutcome update(IGenericClient client, JsonNode request) {
        IUpdateTyped typed = client.update().resource(resource(request));
        IUpdateExecutable made = typed;
        if (request.has("identifier")) {
            made = typed.conditional().where(identifier(request));
        } else if (request.has("url")) {
            made = typed.conditionalByUrl(request.path("url").asText());
        } else if (request.has("id")) {
            made = typed.withId(request.path("id").asText());
        }
        PreferReturnEnum prefer = prefer(request);
        return (prefer == null ? made : made.prefer(prefer)).execute();
    }

    private static IBaseResource transaction(IGenericClient client, JsonNode request) {
        var typed = client.transaction().withBundle((Bundle) resource(request));
        return request.has("prefer") // the library has no word for it here
            ? typed.withAdditionalHeader("Prefer", "return=" + request.path("prefer").asText()).execute()
            : typed.execute();
    }

    private static ICriterion<?> identifier(JsonNode request) {
        String[] words = request.path("identifier").asText().split("\\|");
        return new TokenClientParam("identifier").exactly().systemAndIdentifier(words[0], words[1]);
    }

    private static PreferReturnEnum prefer(JsonNode request) {
        return request.has("prefer") ? PreferReturnEnum.valueOf(request.path("prefer").asText()) : null;
    }

    private static IBaseResource resource(JsonNode request) {
        return PARSER.parseResource(request.path("resource").toString());
    }

    /** What a program gets from a MethodOutcome. */
    private static Map<String, Object> told(MethodOutcome outcome) {
        Map<String, Object> answer = new HashMap<>();
        answer.put("id", outcome.getId() == null ? null : outcome.getId().getValue());
        answer.put("created", outcome.getCreated());
        answer.put("status", outcome.getResponseStatusCode());
        answer.put("headers", outcome.getResponseHeaders());
        answer.put("resource", encoded(outcome.getResource()));
        answer.put("outcome", encoded(outcome.getOperationOutcome()));
        return answer;
    }

    private static Object encoded(IBaseResource resource) {
        try {
            return resource == null ? null : JSON.readTree(PARSER.encodeResourceToString(resource));
        } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
