import ca.uhn.fhir.context.BaseRuntimeElementDefinition;
import ca.uhn.fhir.context.BaseRuntimeElementDefinition.ChildTypeEnum;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.FhirVersionEnum;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.parser.IParser;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;

/**
 * Of FHIR's own definitions what storing, searching and FHIRPath need: search parameters, and names of types.
 *
 * <p>HAPI would parse all that a validator needs too: for R5 half a gigabyte and half a minute.
 */
final class Definitions extends PrePopulatedValidationSupport {
    private static final String R5 = "/org/hl7/fhir/r5/packages/hl7.fhir.r5.core-5.0.0.tgz";
    private static final String BASE = "http://hl7.org/fhir/StructureDefinition/";

    private final IParser parser;

    Definitions(FhirContext context) {
        super(context);
        parser = context.newJsonParser();
        context.getResourceTypes().forEach(name -> addType(name, "resource"));
        for (BaseRuntimeElementDefinition<?> type : context.getElementDefinitions()) {
            if (type.isStandardType()) {
                boolean isPrimitive = type.getChildType() == ChildTypeEnum.PRIMITIVE_DATATYPE;
                addType(type.getName(), isPrimitive ? "primitive-type" : "complex-type");
            }
        }
        if (context.getVersion().getVersion() == FhirVersionEnum.R5) {
            addSearchParametersOfR5();
        } else {
            new DefaultProfileValidationSupport(context).fetchAllSearchParameters().forEach(this::addSearchParameter);
        }
    }

    private void addType(String name, String kind) {
        JsonObject type = new JsonObject();
        type.addProperty("resourceType", "StructureDefinition");
        type.addProperty("url", BASE + name);
        type.addProperty("name", name);
        type.addProperty("status", "active");
        type.addProperty("kind", kind);
        type.addProperty("abstract", false);
        type.addProperty("type", name);
        type.addProperty("derivation", "specialization");
        addStructureDefinition(parser.parseResource(type.toString()));
    }

    private void addSearchParametersOfR5() {
        try (InputStream packed = Definitions.class.getResourceAsStream(R5);
                TarArchiveInputStream files = new TarArchiveInputStream(new GZIPInputStream(packed))) {
            for (TarArchiveEntry file = files.getNextEntry(); file != null; file = files.getNextEntry()) {
                if (file.getName().startsWith("package/SearchParameter-")) {
                    String text = new String(files.readAllBytes(), StandardCharsets.UTF_8);
                    addSearchParameter(parser.parseResource(text));
                }
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
